import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSessions, type Sessions } from 'pg-sessions'
import { fromWai } from 'pg-sessions/haskell/import'
import { fromPg } from 'pg-sessions/pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  expected,
  type OriginalService,
  openOriginalService,
} from '../import/haskell/original-service.ts'
import { Visitor } from '../support/each-store-visitor.ts'
import { type Outcome, runCli, startCli } from './run-cli.ts'

let original: OriginalService
let sessions: Sessions<Record<string, unknown>>
let folder: string
beforeEach(async () => {
  original = await openOriginalService()
  sessions = createSessions<Record<string, unknown>>({
    ...fromWai({ database: fromPg(original.pool) }),
    log: false,
  })
  await sessions.ready()
  folder = await mkdtemp(join(tmpdir(), 'pg-sessions-map-'))
})
afterEach(async () => {
  await sessions.close()
  await original.dispose()
  await rm(folder, { recursive: true })
})

const run = (...args: string[]): Promise<Outcome> =>
  runCli(['import', 'wai', ...args], { databaseUrl: original.database.url })

async function mapping(source: string): Promise<string> {
  const file = join(folder, 'map.mjs')
  await writeFile(file, source)
  return file
}

test('moves live sessions, says what it left and why, and shows no key', async () => {
  const { status, stdout, stderr } = await run()
  expect(stdout).toMatch(
    /^Moved 4 sessions of wai-session-postgresql in [\d.]+ s\.\nLeft 1 row whose deadline has passed\.\nLeft 2 rows that cannot be a session here: marked by clearSession, /,
  )
  expect(status).toBe(0)
  for (const { sessionKey, state } of expected.sessions) {
    expect(stdout + stderr).not.toContain(sessionKey)
    if (!state.startsWith('live, no data') && state.startsWith('live')) {
      const user = new Visitor(sessions, sessionKey)
      expect(await user.visit((session) => session.entries()), state).not.toEqual([])
    }
  }
  expect(await run('--json')).toMatchObject({ stdout: expect.stringContaining('"moved": 0') })
})

test('a module says of which types keys and values are, and what becomes of them', async () => {
  await original.pool.query('delete from wai_pg_sessions')
  const key = await original.begin({ user: 'ann', basket: '["tea"]' })
  const file = await mapping(`
    export const map = ({ entries }) => ({
      userId: entries.get('user'),
      data: { basket: JSON.parse(entries.get('basket')) },
    })`)
  expect((await run('--map', file, '--dry-run')).stdout).toMatch(/^Would move 1 session /)
  expect((await run('--map', file)).stdout).toMatch(/^Moved 1 session /)
  const ann = new Visitor(sessions, key)
  expect(await ann.visit((session) => session.get('basket'))).toEqual(['tea'])
  expect(await sessions.listByUser('ann')).toHaveLength(1)
})

test.each<[string, string]>([
  ['export const nothing = 1', 'has none of the exports'],
  ["export const key = 'string'", "mapping's key must be a type of pg-sessions/haskell/cereal"],
  ['export const map = {}', "mapping's map must be a function"],
  ["throw new TypeError('the reason')", 'cannot be loaded: the reason'],
])('refuses a module that is not a mapping: %s', async (source, problem) => {
  const { status, stderr } = await run('--map', await mapping(source))
  expect(stderr).toContain(problem)
  expect(status).toBe(2)
})

test('refuses what cannot be: another system’s option, or tables that are not there', async () => {
  expect((await run('--time-zone', 'UTC')).stderr).toContain('not an option of `import wai`')
  const { status, stderr } = await run('--table-schema', 'elsewhere')
  expect(stderr).toContain('are not in the schema elsewhere.\nWrite the one that they are in')
  expect(status).toBe(2)
})

test('says to stop a service that is running first, in its help and when sessions were just used', async () => {
  await original.begin({ user: 'ann' })
  const { stderr } = await run('--dry-run')
  expect(stderr).toMatch(
    /^\d+ sessions? of wai-session-postgresql used in the last minute\..*stop it first/,
  )
  expect((await runCli(['import', '--help'])).stdout).toMatch(
    /wai\s+after\s+stopping\s+its\s+service/,
  )
})

test('a row that another connection holds is busy, and the others move', async () => {
  await original.pool.query('delete from wai_pg_sessions')
  const held = await original.begin({ user: 'ann' })
  await original.begin({ user: 'bob' })
  const holder = await original.pool.connect()
  try {
    await holder.query('begin')
    await holder.query('update wai_pg_session_data set value = value where wai_pg_session = $1', [
      await original.lookUp(held),
    ])
    const { status, stdout, stderr } = await run('--timeout', '500ms')
    expect(stdout).toMatch(
      /^Moved 1 session of .*\nLeft 1 row in use all the time; run it again\.\n/,
    )
    expect(stderr).not.toContain('PostgreSQL')
    expect(status).toBe(1)
  } finally {
    await holder.query('rollback')
    holder.release()
  }
  expect((await run()).stdout).toMatch(/^Moved 1 session /)
}, 120_000)

test('tables of the same names with another shape are named', async () => {
  await original.pool.query('alter table wai_pg_session_data rename value to content')
  const { status, stderr } = await run()
  expect(stderr).toContain('wai_pg_session_data has no column value')
  expect(status).toBe(2)
})

test('an import that is killed halfway goes on where it was, and nothing is lost or doubled', async () => {
  await original.pool.query('delete from wai_pg_sessions')
  const keys: string[] = []
  for (let each = 0; each < 300; each++) keys.push(await original.begin({ each: `${each}` }))
  const moved = async (): Promise<number> => (await sessions.count()).live
  const killed = await startCli(['import', 'wai', '--batch-size', '5'], {
    databaseUrl: original.database.url,
  })
  await expect.poll(moved, { timeout: 60_000, interval: 5 }).toBeGreaterThan(0)
  killed.kill('SIGKILL')
  await once(killed, 'exit')
  expect((await run()).status).toBe(0)
  expect(await moved()).toBe(300)
  expect(await original.keys()).toEqual([])
  const last = new Visitor(sessions, keys[299] ?? null)
  expect(await last.visit((session) => session.get('each'))).toBe('299')
}, 120_000)
