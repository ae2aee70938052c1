import { createHmac } from 'node:crypto'
import pg from 'pg'
import { createSessions, type Sessions } from 'pg-sessions'
import {
  type FromTokenTableSettings,
  fromAuthjs,
  fromBetterAuth,
  fromLucia,
} from 'pg-sessions/import'
import { fromPg } from 'pg-sessions/pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { signedTokens } from '../../src/import/token-table/old-tokens.ts'
import { runCli } from '../cli/run-cli.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

/** What the tables of Drizzle and Prisma hold: times without a zone, in UTC. */
const TABLES = `
  create table session (id text primary key, token text unique, "userId" text, "expiresAt" timestamp,
    "createdAt" timestamp, "impersonatedBy" text);
  create table "Session" ("sessionToken" text primary key, "userId" uuid, expires timestamp(3));
  create table logins (token text primary key, user_id int, ends timestamptz)`

const SOON = `(now() + interval '1 hour') at time zone 'UTC'`
const secret = 'a secret of this test'
const cookieOf = (settings: FromTokenTableSettings, token: string): string =>
  `${settings.cookie.name}=${token}`

let database: TestDatabase
let pool: pg.Pool
const open: Sessions[] = []
beforeEach(async () => {
  database = await createTestDatabase()
  // The zone of a connection must not decide when a session ends.
  pool = new pg.Pool({ connectionString: database.url, max: 5, options: '-c TimeZone=Asia/Tokyo' })
  await database.query(TABLES)
})
afterEach(async () => {
  for (const sessions of open.splice(0)) await sessions.close()
  await pool.end()
  await database.drop()
})

function start(settings: FromTokenTableSettings, more: object = {}): Sessions {
  const sessions = createSessions({ ...settings, log: false, idleTimeout: '1d', ...more })
  open.push(sessions)
  return sessions
}

async function userOf(sessions: Sessions, cookie: string): Promise<string | null> {
  const { session } = sessions.open(cookie)
  await session.load()
  return session.userId
}

const authjs = (): FromTokenTableSettings =>
  fromAuthjs({
    database: fromPg(pool),
    table: 'logins',
    columns: { token: 'token', userId: 'user_id', expiresAt: 'ends' },
  })

async function insertLogins(user: number, count: number): Promise<string[]> {
  const tokens = Array.from({ length: count }, (_, each) =>
    `token ${user} ${each}`.replaceAll(' ', '-').padEnd(24, '-'),
  )
  for (const token of tokens) {
    await database.query(
      `insert into logins values ('${token}', ${user}, now() + interval '1 hour')`,
    )
  }
  return tokens
}

test('a time without a zone is UTC, whatever zone the connection has', async () => {
  const settings = fromAuthjs({ database: fromPg(pool), table: 'Session' })
  const user = '0190a0a0-0000-7000-8000-000000000000'
  await database.query(`insert into "Session" values
    ('a-token-that-lives-on', '${user}', ${SOON}),
    ('a-token-that-has-ended', '${user}', (now() - interval '1 hour') at time zone 'UTC')`)
  const sessions = start(settings)
  expect(await userOf(sessions, cookieOf(settings, 'a-token-that-has-ended'))).toBeNull()
  expect(await userOf(sessions, cookieOf(settings, 'a-token-that-lives-on'))).toBe(user)
  const [{ expiresAt } = { expiresAt: new Date() }] = await sessions.listByUser(user)
  expect(Math.abs(expiresAt.getTime() - Date.now() - 3_600_000)).toBeLessThan(600_000)
})

test('a session in which an administrator impersonates a user never becomes that of the user', async () => {
  const settings = fromBetterAuth({ database: fromPg(pool), secret })
  await database.query(
    `insert into session values ('1', 'impersonated-token', 'ann', ${SOON}, ${SOON}, 'admin')`,
  )
  const signed = signature('impersonated-token')
  const sessions = start(settings)
  expect(await userOf(sessions, cookieOf(settings, signed))).toBeNull()
  expect(await sessions.destroyByUser('ann')).toBe(0)
  const { stdout } = await runCli(['import', 'better-auth'], { databaseUrl: database.url })
  expect(stdout).toMatch(/^Moved 0 .*\nLeft 1 row .* an administrator acts as its user/)
}, 30_000)

test("all of a user's sessions count before they move: for a cap, an export and an end of all", async () => {
  const settings = authjs()
  const tokens = await insertLogins(7, 3)
  await insertLogins(8, 2)
  const sessions = start(settings, { maxPerUser: { count: 2, beyond: 'refuse' } })
  const { session } = sessions.open(null)
  await expect(session.signIn('7')).rejects.toMatchObject({ code: 'ERR_TOO_MANY_SESSIONS' })
  expect(await database.query('select user_id from logins')).toEqual([
    { user_id: 8 },
    { user_id: 8 },
  ])
  expect((await sessions.exportUser('8')).sessions).toHaveLength(2)
  await insertLogins(9, 1)
  await sessions.destroyAll()
  expect(await database.query('select from logins')).toEqual([])
  for (const token of tokens) expect(await userOf(sessions, cookieOf(settings, token))).toBeNull()
})

test('of many requests in two processes one moves a session, while others list and end it', async () => {
  const settings = authjs()
  const [token = ''] = await insertLogins(7, 1)
  const processes = [start(settings), start(authjs())] as const
  const users = await Promise.all([
    ...Array.from({ length: 20 }, (_, each) =>
      userOf(processes[each % 2] as Sessions, cookieOf(settings, token)),
    ),
    processes[0].listByUser('7').then((list) => String(7 * list.length)),
  ])
  expect(new Set(users)).toEqual(new Set(['7']))
  expect(await processes[1].listByUser('7')).toHaveLength(1)
})

test('a cookie of better-auth is read in its one spelling, with any of its secrets', () => {
  const tokens = signedTokens(['another secret', secret])
  const good = signature('a-token-of-better-auth')
  expect(tokens.read(good)?.key).toBe('a-token-of-better-auth')
  const bad = [
    decodeURIComponent(good),
    good.replace('a-token', 'b-token'),
    good.toLowerCase(),
    good.slice(0, -3),
    `${good}%00`,
    'a-token-of-better-auth',
    '.',
    '%E0%A4%A',
  ]
  for (const text of bad) expect(tokens.read(text), text).toBeNull()
  expect(signedTokens(['another secret']).read(good)).toBeNull()
})

test('what does not fit is refused, and says what to write', async () => {
  const driver = fromPg(pool)
  expect(() => fromBetterAuth({ database: driver } as never)).toThrow(/needs the secret/)
  expect(() => fromBetterAuth({ database: driver, secret: '' })).toThrow(/must be the secret/)
  expect(() => fromAuthjs({} as never)).toThrow(/fromAuthjs needs a database/)
  expect(() => fromLucia({ database: driver, tokens: 'plain' as never })).toThrow(/'hashed'/)
  expect(() => fromAuthjs({ database: driver, table: '' })).toThrow(/1 to 63 bytes/)
  const settings = fromLucia({ database: driver, tokens: 'clear' })
  const sessions = start(settings)
  await expect(userOf(sessions, cookieOf(settings, 'x'.repeat(40)))).rejects.toMatchObject({
    code: 'ERR_SCHEMA_MISSING',
    message: expect.stringContaining('user_session of Lucia'),
  })
  const run = (...args: string[]) => runCli(['import', ...args], { databaseUrl: database.url })
  expect((await run('authjs')).stderr).toContain('--table')
  expect((await run('authjs', '--table', 'logins', '--columns', 'name=x')).stderr).toContain(
    '--columns takes pairs',
  )
  await insertLogins(7, 1)
  const columns = 'token=token,user-id=user_id,expires-at=ends'
  expect((await run('authjs', '--table', 'logins', '--columns', columns)).stdout).toMatch(
    /^Moved 1 /,
  )
}, 60_000)

function signature(token: string): string {
  const mac = createHmac('sha256', secret).update(token).digest('base64')
  return encodeURIComponent(`${token}.${mac}`)
}
