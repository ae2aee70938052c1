import { PostgresStore } from 'pg-sessions'
import type { Driver } from 'pg-sessions/driver'
import { fromPg } from 'pg-sessions/pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { jsonCodec } from '../../src/codec/json-codec.ts'
import { sidIdentity } from '../../src/compatibility/by-sid/sid-identity.ts'
import { ConnectPgSimpleSource } from '../../src/import/connect-pg-simple/connect-pg-simple-source.ts'
import { resolveOldTable } from '../../src/import/connect-pg-simple/old-table.ts'
import { type ImportOptions, importSessions } from '../../src/import/import-sessions.ts'
import type { ImportReport } from '../../src/import/import-tally.ts'
import { StatementRunner } from '../../src/postgres/statement-runner.ts'
import { resolveTableNames } from '../../src/postgres/table-names.ts'
import { type OldApplication, openOldApplication } from './old-application.ts'

let old: OldApplication
let store: PostgresStore
beforeEach(async () => {
  old = await openOldApplication()
  store = new PostgresStore({ driver: fromPg(old.pool) })
  await store.ready()
})
afterEach(async () => {
  await store.close()
  await old.dispose()
})

const DAY = 86_400_000

const reading = { identify: sidIdentity, codec: jsonCodec, userId: null, ttl: DAY }

function run(options: Partial<ImportOptions> = {}): Promise<ImportReport> {
  return importSessions({
    runner: new StatementRunner(fromPg(old.pool), 10_000),
    names: resolveTableNames(),
    source: new ConnectPgSimpleSource(resolveOldTable(), reading),
    ...options,
  })
}

/** What is here of a sid: its values by key, or what the store says instead. */
async function here(sid: string): Promise<object | string> {
  const found = await store.load(sidIdentity(sid).proof)
  if (found.status !== 'live') return found.status
  return Object.fromEntries(
    found.record.entries.map(({ key, value }) => [
      jsonCodec.decodeKey(key),
      JSON.parse(Buffer.from(value).toString()),
    ]),
  )
}

const nothingLeft = { isComplete: true, expired: 0, known: 0, busy: 0, unreadable: [] }

test('every key of a session is an entry, under the id and hash of its sid', async () => {
  await old.save('a', { user: { name: 'ann' }, basket: [1, 2], note: 'é\u2028😀' })
  expect(await run()).toEqual({ ...nothingLeft, moved: 1 })
  expect(await here('a')).toMatchObject({
    user: { name: 'ann' },
    basket: [1, 2],
    note: 'é\u2028😀',
    cookie: { originalMaxAge: DAY, httpOnly: true, path: '/' },
  })
  expect(await old.sids()).toEqual([])
})

test('a session keeps its deadline and its own lifetime, and its last access is the one there', async () => {
  await old.save('a', {}, 3 * DAY)
  const [there] = (
    await old.pool.query(`select extract(epoch from expire::timestamptz) as at from session`)
  ).rows
  await run()
  const found = await store.load(sidIdentity('a').proof)
  const record = found.status === 'live' ? found.record : expect.fail()
  expect(record).toMatchObject({
    expiresAt: Number(there.at) * 1000,
    absoluteExpiresAt: Number.POSITIVE_INFINITY,
    ownIdleTimeout: 3 * DAY,
    userId: null,
  })
  expect(record.lastAccessAt).toBeGreaterThan(record.now - 10_000)
  expect(record.lastAccessAt).toBeLessThanOrEqual(record.now)
})

test('any number of batches move everything, and a second run finds nothing', async () => {
  for (let each = 0; each < 25; each++) await old.save(`sid ${each}`, { each })
  const progress: object[] = []
  const report = await run({ batchSize: 4, onProgress: (now) => progress.push(now) })
  expect(report).toEqual({ ...nothingLeft, moved: 25 })
  expect(progress).toHaveLength(7)
  expect(progress.at(-1)).toEqual({ moved: 25, seen: 25, total: 25 })
  expect(await run()).toEqual({ ...nothingLeft, moved: 0 })
  for (let each = 0; each < 25; each++) expect(await here(`sid ${each}`)).toMatchObject({ each })
})

test('a session that has ended here after its move is not brought back by a late write there', async () => {
  await old.save('a', { user: 'ann' })
  await run()
  await store.destroy({ id: sidIdentity('a').id })
  await old.save('a', { user: 'ann' })
  expect(await run()).toEqual({ ...nothingLeft, moved: 0, known: 1 })
  expect(await here('a')).toBe('unknown')
  expect(await old.sids()).toEqual(['a'])
})

test('a session that is here is not overwritten', async () => {
  await old.save('a', { user: 'ann' })
  await run()
  await old.save('a', { user: 'mallory', more: 1 })
  expect(await run()).toEqual({ ...nothingLeft, moved: 0, known: 1 })
  expect(await here('a')).toMatchObject({ user: 'ann' })
  expect(await here('a')).not.toHaveProperty('more')
})

test('a session that a request moves between our reading and our moving is not called a late row', async () => {
  for (let each = 0; each < 5; each++) await old.save(`sid ${each}`, { each })
  const driver = fromPg(old.pool)
  let isFirst = true
  const overtaken: Driver = {
    ...driver,
    async query(statement, options) {
      if (isFirst && statement.name.includes('move')) {
        isFirst = false
        expect(await run()).toMatchObject({ moved: 5 })
      }
      return driver.query(statement, options)
    },
  }
  const report = await run({ runner: new StatementRunner(overtaken, 10_000) })
  expect(report).toEqual({ ...nothingLeft, moved: 0 })
})
