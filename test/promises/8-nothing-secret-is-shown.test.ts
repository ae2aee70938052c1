import { createHash } from 'node:crypto'
import { inspect } from 'node:util'
import pg from 'pg'
import { createSessions } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type FixtureProcesses, startTwoProcesses } from '../support/fixture-server-processes.ts'
import type { HttpVisitor } from '../support/fixture-server-visitor.ts'

/** Promise 8: no token, hash, value or connection string in a log line, error, event or object. */

const VALUE = 'sw0rdfish-of-the-deep'
const PASSWORD = 'hunter2-of-the-database'

let processes: FixtureProcesses
/** Every token that a client has ever had. */
const tokens = new Set<string>()
/** Everything that clients were told in error pages. */
let told = ''

beforeAll(async () => {
  processes = await startTwoProcesses({
    idleTimeout: '1h',
    limits: { valueBytes: 200, keys: 10 },
    deadline: '2s',
  })
})
afterAll(() => processes.stop())

async function post(visitor: HttpVisitor, path: string): Promise<number> {
  const { status, session } = await visitor.post(path)
  if (visitor.token !== null) tokens.add(visitor.token)
  if (status >= 400) told += JSON.stringify(session)
  return status
}

/** Every form in which a token could leak, but for what the database is to hold. */
function formsOf(token: string): string[] {
  const secret = token.slice(22)
  const hash = createHash('sha256').update(secret).digest()
  return [token, secret, hash.toString('hex'), hash.toString('base64'), hash.toString('base64url')]
}

function expectNoSecret(text: string): void {
  const { password } = new URL(processes.database.url)
  const secrets = [VALUE, PASSWORD, processes.database.url, ...(password ? [password] : [])]
  for (const secret of [...secrets, ...[...tokens].flatMap(formsOf)]) {
    expect(text.includes(secret), `it shows ${secret.slice(0, 6)}…`).toBe(false)
  }
}

it('whatever clients do and whatever goes wrong, nothing secret is logged or answered', async () => {
  const ann = processes.visitor()
  for (const path of [
    `set/password/${VALUE}`,
    'rotate',
    'sign-in/ann',
    `set/other/${VALUE}`,
    'increment/n',
    'take/other',
    'clear',
    'sign-in/bob',
    'sign-in/ann',
    `set/password/${VALUE}`,
  ]) {
    expect(await post(ann, `/do/${path}`)).toBe(200)
  }
  expect(await post(ann, `/do/set/long/${VALUE.repeat(20)}`)).toBe(413)
  const late = ann.at(0)
  const saving = post(late, `/slow/gone/set/late/${VALUE}`)
  await late.get('/gates/gone/reached/1')
  await post(ann, '/do/sign-out')
  await late.openGate('gone')
  expect(await saving).toBe(409)
  for (const cookie of [`__Host-id=${late.token}`, `__Host-id=${late.token}x`, '__Host-id=x']) {
    await processes.visitor().get('/session', { cookie })
  }

  // Faults of the database, with tokens' hashes and values in the statements that fail.
  const { database } = processes
  const bob = processes.visitor()
  await post(bob, `/do/set/password/${VALUE}`)
  await database.query(
    `alter table sessions.session_data add constraint refuse check (length(value) < 5) not valid`,
  )
  expect(await post(bob, `/do/set/password/${VALUE}`)).toBe(500)
  expect(await post(processes.visitor(), `/do/set/password/${VALUE}`)).toBe(500)
  await database.query('alter table sessions.session_data drop constraint refuse')
  await database.query('alter table sessions.session add constraint refuse check (false) not valid')
  for (const path of ['rotate', 'sign-in/ann', 'clear', 'increment/n']) {
    expect(await post(bob, `/do/${path}`), path).toBe(500)
  }
  await database.query('alter table sessions.session drop constraint refuse')
  await database.query('alter table sessions.session_data rename to hidden')
  expect(await post(bob, `/do/set/password/${VALUE}`)).toBe(500)
  await database.query('alter table sessions.hidden rename to session_data')
  await database.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`,
  )
  await post(bob, `/do/set/password/${VALUE}`)
  expect(await post(bob, `/do/set/password/${VALUE}`)).toBe(200)

  expect(tokens.size).toBeGreaterThan(6)
  const output = processes.output()
  for (const said of ['session created', 'user signed in', 'StoreError', 'SessionGoneError']) {
    expect(output).toContain(said)
  }
  expectNoSecret(output)
  expectNoSecret(told)
})

it('a dump of the database holds no token: who reads it all can open no session', async () => {
  const ann = processes.visitor()
  await post(ann, `/do/sign-in/ann`)
  await post(ann, '/do/set/a/1')
  const tables = ['session', 'session_data', 'migration']
  const dumps = await Promise.all(
    tables.map((table) =>
      processes.database.query(
        `select string_agg(t::text, e'\\n') as text, string_agg(to_jsonb(t)::text, e'\\n') as json
          from sessions.${table} as t`,
      ),
    ),
  )
  const dump = JSON.stringify(dumps)
  expect(dump).toContain('ann')
  const columns = await processes.database.query(
    `select id::text, encode(secret_hash, 'hex') as hex, encode(secret_hash, 'base64') as base64
      from sessions.session`,
  )
  for (const token of tokens) {
    expect(dump.includes(token)).toBe(false)
    expect(dump.includes(token.slice(22))).toBe(false)
    expect(dump.includes(Buffer.from(token.slice(22)).toString('hex'))).toBe(false)
  }
  for (const { id, hex, base64 } of columns) {
    const idPart = Buffer.from(String(id).replaceAll('-', ''), 'hex').toString('base64url')
    const url = String(base64).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
    for (const replayed of [id, idPart, hex, url, idPart + hex, idPart + url, `${id}${hex}`]) {
      const { userId } = await processes.visitor().twin(String(replayed)).session()
      expect(userId).toBeNull()
    }
  }
})

it('a connection string is in no error and no object, also when it leads nowhere', async () => {
  const { port } = new URL(processes.database.url)
  for (const url of [
    `postgres://app:${PASSWORD}@127.0.0.1:1/nowhere`,
    `postgres://app:${PASSWORD}@127.0.0.1:${port}/no_such_database`,
  ]) {
    const pool = new pg.Pool({ connectionString: url })
    const lines: unknown[] = []
    const line = (facts: object): void => {
      lines.push(facts)
    }
    const sessions = createSessions({
      database: fromPg(pool),
      deadline: '500ms',
      log: { debug: line, info: line, warn: line, error: line },
    })
    const exchange = sessions.open(`__Host-id=${'A'.repeat(54)}`)
    exchange.session.set('password', VALUE)
    const errors = [
      await exchange.commit().catch((error: unknown) => error),
      await sessions.ready().catch((error: unknown) => error),
    ]
    expect(errors.map((error) => error instanceof Error)).toEqual([true, true])
    for (const object of [...errors, ...lines, sessions, exchange]) {
      expectNoSecret(inspect(object, { depth: null, showHidden: true }))
      expectNoSecret(JSON.stringify(object) ?? '')
      expectNoSecret(String(object instanceof Error ? object.stack : ''))
    }
    await pool.end()
  }
})
