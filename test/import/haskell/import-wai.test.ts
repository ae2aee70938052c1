import { PostgresStore } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { jsonCodec } from '../../../src/codec/json-codec.ts'
import { oneMoment } from '../../../src/import/haskell/repeatable-read.ts'
import { waiProof } from '../../../src/import/haskell/wai-identity.ts'
import { mapperOf } from '../../../src/import/haskell/wai-mapping.ts'
import { WaiSource } from '../../../src/import/haskell/wai-source.ts'
import { type ImportOptions, importSessions } from '../../../src/import/import-sessions.ts'
import type { ImportReport } from '../../../src/import/import-tally.ts'
import type { Driver } from '../../../src/postgres/driver.ts'
import { StatementRunner } from '../../../src/postgres/statement-runner.ts'
import { resolveTableNames } from '../../../src/postgres/table-names.ts'
import { expected, type OriginalService, openOriginalService } from './original-service.ts'

let original: OriginalService
let store: PostgresStore
beforeEach(async () => {
  original = await openOriginalService()
  store = new PostgresStore({ driver: fromPg(original.pool) })
  await store.ready()
})
afterEach(async () => {
  await store.close()
  await original.dispose()
})

function run(
  options: Partial<ImportOptions> = {},
  driver: Driver = fromPg(original.pool),
): Promise<ImportReport> {
  return importSessions({
    runner: new StatementRunner(oneMoment(driver), 10_000),
    names: resolveTableNames(),
    source: new WaiSource({
      schema: 'public',
      timeout: 3_600_000,
      map: mapperOf({}),
      takesFlagged: false,
    }),
    ...options,
  })
}

/** What is here of a key: its values, or what the store says instead. */
async function here(key: string): Promise<object | string> {
  const found = await store.load(waiProof(key))
  if (found.status !== 'live') return found.status
  return Object.fromEntries(
    found.record.entries.map(({ key, value }) => [
      jsonCodec.decodeKey(key),
      jsonCodec.decode(value),
    ]),
  )
}

const clean = { isComplete: true, expired: 0, known: 0, busy: 0, unreadable: [] }

test('moves what the original wrote, but for sessions that are dead or marked by clearSession', async () => {
  const report = await run({ batchSize: 2 })
  expect(report).toEqual({
    ...clean,
    moved: 4,
    expired: 1,
    unreadable: [
      {
        problem: 'marked by clearSession, so that its next response brings another key',
        count: 2,
        ids: [expect.any(String), expect.any(String)],
      },
    ],
  })
  for (const { sessionKey, data, state } of expected.sessions) {
    const stays = /^(flagged|expired)/.test(state)
    expect(await here(sessionKey), state).toEqual(stays ? 'unknown' : Object.fromEntries(data))
    expect((await original.keys()).includes(sessionKey), state).toBe(stays)
  }
})

test('a session keeps its times, and its deadline until it is used', async () => {
  await original.pool.query('delete from wai_pg_sessions')
  const key = await original.begin({ user: 'ann' }, 600)
  const { rows } = await original.pool.query(
    'select session_last_access::int as at from wai_pg_sessions',
  )
  await run()
  const found = await store.load(waiProof(key))
  const record = found.status === 'live' ? found.record : expect.fail()
  const lastAccessAt = rows[0].at * 1000
  expect(record).toMatchObject({
    lastAccessAt,
    createdAt: lastAccessAt,
    expiresAt: lastAccessAt + 3_600_500,
    absoluteExpiresAt: Number.POSITIVE_INFINITY,
    userId: null,
  })
})

test('any number of batches move everything, and a second run finds nothing', async () => {
  await original.pool.query('delete from wai_pg_sessions')
  const keys: string[] = []
  for (let each = 0; each < 11; each++) keys.push(await original.begin({ each: `${each}` }))
  const progress: object[] = []
  const report = await run({ batchSize: 4, onProgress: (now) => progress.push(now) })
  expect(report).toEqual({ ...clean, moved: 11 })
  expect(progress).toHaveLength(3)
  expect(await run()).toEqual({ ...clean, moved: 0 })
  expect(await here(keys[7] as string)).toEqual({ each: '7' })
})

test('an import that was stopped goes on where it was, and two at once share the work', async () => {
  await original.pool.query('delete from wai_pg_sessions')
  for (let each = 0; each < 30; each++) await original.begin({ each: `${each}` })
  const stop = new AbortController()
  const first = await run({ batchSize: 5, signal: stop.signal, onProgress: () => stop.abort() })
  expect(first).toEqual({ ...clean, isComplete: false, moved: 5 })
  const both = await Promise.all([run({ batchSize: 3 }), run({ batchSize: 4 })])
  expect(await original.keys()).toEqual([])
  expect((await store.count()).live).toBe(30)
  expect(both[0].moved + both[1].moved).toBe(25)
})

test('a rehearsal moves nothing', async () => {
  const before = await original.keys()
  expect(await run({ dryRun: true })).toMatchObject({ moved: 4 })
  expect(await original.keys()).toEqual(before)
})

// Each of these comes between the moment that the move sees and the move of the row.
test.each<[string, (id: string, key: string) => Promise<unknown>, object]>([
  ['adds an entry', (id) => original.insert(id, 'more', 'tea'), { user: 'ann', more: 'tea' }],
  ['changes an entry', (id) => original.insert(id, 'user', 'bob'), { user: 'bob' }],
  [
    'removes an entry',
    (id) => original.pool.query('delete from wai_pg_session_data where wai_pg_session = $1', [id]),
    {},
  ],
  [
    'notes an access',
    (id) =>
      original.pool.query(
        'update wai_pg_sessions set session_last_access = session_last_access + 1 where id = $1',
        [id],
      ),
    { user: 'ann' },
  ],
])('nothing is lost when the original %s while a session is moved', async (_, change, after) => {
  await original.pool.query('delete from wai_pg_sessions')
  const key = await original.begin({ user: 'ann' })
  const id = (await original.lookUp(key)) as string
  let changes = 0
  const interrupted = interruptMoves(async () => {
    if (changes++ === 0) await change(id, key)
  })
  expect(await run({}, interrupted)).toEqual({ ...clean, moved: 1 })
  expect(changes, 'the move was tried again').toBeGreaterThan(1)
  expect(await here(key)).toEqual(after)
})

test('a session whose key the original replaces meanwhile is moved under the new one alone', async () => {
  await original.pool.query('delete from wai_pg_sessions')
  const key = await original.begin({ user: 'ann' })
  const successor = 'ab'.repeat(24)
  let changes = 0
  const interrupted = interruptMoves(async () => {
    if (changes++ > 0) return
    await original.pool.query('update wai_pg_sessions set session_key = $1', [successor])
  })
  expect(await run({}, interrupted)).toEqual({ ...clean, moved: 1 })
  expect(await here(key)).toBe('unknown')
  expect(await here(successor)).toEqual({ user: 'ann' })
})

test('a session that another client has locked is left, and reported as busy', async () => {
  await original.pool.query('delete from wai_pg_sessions')
  const key = await original.begin({ user: 'ann' })
  const holder = await original.pool.connect()
  await holder.query('begin; select from wai_pg_sessions for update')
  expect(await run()).toEqual({ ...clean, moved: 0, busy: 1 })
  await holder.query('rollback')
  holder.release()
  expect(await run()).toEqual({ ...clean, moved: 1 })
  expect(await here(key)).toEqual({ user: 'ann' })
})

test('a copy of the old tables that is put back after the move revives no session', async () => {
  await original.pool.query('create table copy as select * from wai_pg_sessions')
  await run()
  const sessionKey = expected.sessions[0]?.sessionKey ?? expect.fail()
  await store.destroy({ id: waiProof(sessionKey).id })
  await original.pool.query(
    'delete from wai_pg_sessions; insert into wai_pg_sessions select * from copy',
  )
  expect(await run()).toMatchObject({ moved: 0, known: 4 })
  expect(await here(sessionKey)).toBe('unknown')
})

test('a reply that got lost after the commit moves nothing twice, and loses nothing', async () => {
  const driver = fromPg(original.pool)
  let lost = 0
  const losing: Driver = {
    ...driver,
    query: driver.query.bind(driver),
    withConnection: (use) =>
      driver.withConnection((connection) =>
        use({
          query: (statement, options) => connection.query(statement, options),
          async run(sql) {
            await connection.run(sql)
            if (sql !== 'commit' || lost++ !== 2) return
            throw Object.assign(new TypeError('lost'), { code: 'ECONNRESET' })
          },
        }),
      ),
  }
  const report = await run({ batchSize: 2 }, losing)
  expect(lost).toBeGreaterThan(3)
  expect(report.isComplete).toBe(true)
  expect((await store.count()).live).toBe(4)
  for (const { sessionKey, data, state } of expected.sessions) {
    if (!state.startsWith('live')) continue
    expect(await here(sessionKey), state).toEqual(Object.fromEntries(data))
  }
})

/** Lets something happen after the moment that a move sees was fixed, and before it touches a row. */
function interruptMoves(happen: () => Promise<void>): Driver {
  const driver = fromPg(original.pool)
  return {
    ...driver,
    query: driver.query.bind(driver),
    withConnection: (use) =>
      driver.withConnection((connection) =>
        use({
          run: (sql) => connection.run(sql),
          async query(statement, options) {
            if (statement.name.includes('move_sessions')) {
              const moment = { name: 'fix_moment', text: 'select', values: [] }
              await connection.query(moment, { timeout: options.timeout })
              await happen()
            }
            return connection.query(statement, options)
          },
        }),
      ),
  }
}
