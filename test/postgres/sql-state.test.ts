import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { inspect } from 'node:util'
import type { PGlite } from '@electric-sql/pglite'
import pg from 'pg'
import { fromPg, fromPgClient } from 'pg-sessions/pg'
import { fromPglite } from 'pg-sessions/pglite'
import { fromPostgresJs } from 'pg-sessions/postgres-js'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  SchemaError,
  type SessionError,
  SessionGoneError,
  StoreError,
  StoreUnavailableError,
} from '../../src/errors.ts'
import type { Driver } from '../../src/postgres/driver.ts'
import { noteExplanation } from '../../src/postgres/explanations.ts'
import {
  classifyDatabaseError,
  isForeignKeyViolation,
  isRetryable,
  isUniqueViolation,
  sqlStateOf,
} from '../../src/postgres/sql-state.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { openPglite } from '../support/pglite.ts'

const SECRET = 'pa55word-of-ann'
const statement = { name: 'save', text: `select '${SECRET}'`, values: [SECRET] }

let database: TestDatabase
let db: PGlite
let pool: pg.Pool
let sql: postgres.Sql
const drivers: Record<string, Driver> = {}

beforeAll(async () => {
  database = await createTestDatabase()
  pool = new pg.Pool({ connectionString: database.url })
  // Debugging makes postgres.js show queries and parameters on every error.
  sql = postgres(database.url, { debug: () => {}, onnotice: () => {} })
  db = await openPglite()
  drivers.pg = fromPg(pool)
  drivers['postgres-js'] = fromPostgresJs(sql)
  drivers.pglite = fromPglite(db)
  for (const driver of [drivers.pg, drivers.pglite]) {
    await driver.withConnection((connection) =>
      connection.run(`
        create table parent (id text primary key check (id <> 'refused'), note text);
        create table child (id text references parent);
        insert into parent values ('${SECRET}', '${SECRET}');
        create function raise(code text, secret text) returns text language plpgsql as $$
          begin
            raise exception using errcode = code, message = secret, detail = secret, hint = secret;
          end $$;
      `),
    )
  }
})
afterAll(async () => {
  await pool.end()
  await sql.end({ timeout: 1 })
  await db.close()
  await database.drop()
})

let failures = 0

async function fail(driver: Driver, text: string, values: string[], timeout = 20_000) {
  return await driver
    .query({ name: `failure_${failures++}`, text, values }, { timeout })
    .then(() => expect.unreachable('the statement succeeded'))
    .catch((error: unknown) => {
      noteExplanation(driver, error)
      return error
    })
}

/** All that a log line or a debugger could show of an error. */
function everythingOf(error: unknown): string {
  return inspect(error, { showHidden: true, depth: null, getters: true }) + JSON.stringify(error)
}

const raised = async (driver: Driver, code: string): Promise<unknown> =>
  await fail(driver, 'select raise($1::text, $2::text)', [code, SECRET])

describe.each(['pg', 'postgres-js', 'pglite'])('errors of %s', (name) => {
  const failures = {
    'a unique violation': [`insert into parent values ($1::text, 'x')`, '23505', StoreError],
    'a foreign key violation': [
      `insert into child values ('gone' || $1::text)`,
      '23503',
      StoreError,
    ],
    'a check violation': [
      `insert into parent values (left('refused' || $1::text, 7), $1::text)`,
      '23514',
      StoreError,
    ],
    'a value of the wrong type': ['select $1::text::int::text', '22P02', StoreError],
    'a missing table': [`select $1::text from sessions.no_such_table`, '42P01', SchemaError],
    'a missing schema': [`create table no_such_schema.t as select $1::text`, '3F000', SchemaError],
    'a missing column': [`select no_such_column, $1::text from parent`, '42703', SchemaError],
  } as const

  it.each(Object.entries(failures))('%s shows no value', async (_, [text, code, kind]) => {
    const error = await fail(drivers[name]!, text, [SECRET])
    expect(sqlStateOf(error)).toBe(code)

    const classified = classifyDatabaseError(error, statement)
    expect(classified).toBeInstanceOf(kind)
    expect(everythingOf(classified)).not.toContain(SECRET)
  })

  it.each(['23505', '40P01', '57014', '53300', '25006', '42501', 'P0001', '08006'])(
    'an error %s with values in its message, detail and hint shows none of them',
    async (code) => {
      const error = await raised(drivers[name]!, code)
      expect(everythingOf(error)).toContain(SECRET)
      expect(everythingOf(classifyDatabaseError(error, statement))).not.toContain(SECRET)
    },
  )

  it('tells unique from foreign key violations', async () => {
    const unique = await fail(drivers[name]!, failures['a unique violation'][0], [SECRET])
    const foreign = await fail(drivers[name]!, failures['a foreign key violation'][0], [SECRET])
    for (const error of [unique, classifyDatabaseError(unique, statement)]) {
      expect([isUniqueViolation(error), isForeignKeyViolation(error)]).toEqual([true, false])
    }
    for (const error of [foreign, classifyDatabaseError(foreign, statement)]) {
      expect([isUniqueViolation(error), isForeignKeyViolation(error)]).toEqual([false, true])
    }
  })

  it('keeps the SQLSTATE and severity in the cause', async () => {
    const classified = classifyDatabaseError(await raised(drivers[name]!, '23505'), statement)
    expect(classified.cause).toMatchObject({ code: '23505', severity: 'ERROR', message: '' })
  })
})

describe('a database that cannot be asked', () => {
  const none = ['40001', '40P01', '55P03', '57014', '57P03', '53300', '53100', '53400', '25006']
  const unknown = ['08000', '08003', '08006', '08P01', '40003', '57P01', '57P02']

  it.each([
    ...none.map((code) => [code, 'none', 'safe'] as const),
    ...unknown.map((code) => [code, 'unknown', 'unknown'] as const),
  ])('is unavailable after %s, with the outcome %s', async (code, outcome, retry) => {
    const error = await raised(drivers.pg!, code)
    const classified = classifyDatabaseError(error, statement)
    expect(classified).toBeInstanceOf(StoreUnavailableError)
    expect(classified).toMatchObject({ outcome, sqlState: code, statement: 'save' })
    expect([isRetryable(error), isRetryable(classified)]).toEqual([retry, retry])
  })

  const refused = async (): Promise<number> => {
    const server = createServer()
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => server.close(resolve))
    return port
  }

  it.each(['127.0.0.1', 'localhost'])('is unreachable when %s refuses', async (host) => {
    const port = await refused()
    const ask = { host, port, user: 'ann', password: SECRET, database: 'd' }
    const closed = new pg.Pool(ask)
    const other = postgres({ ...ask, max: 1 })
    for (const driver of [fromPg(closed), fromPostgresJs(other)]) {
      const error = await fail(driver, 'select 1::text', [])
      const classified = classifyDatabaseError(error, statement)
      expect(classified).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', outcome: 'none' })
      expect(classified.cause).toMatchObject({
        code: 'ECONNREFUSED',
        message: expect.stringContaining('ECONNREFUSED'),
      })
      expect(isRetryable(error)).toBe('safe')
      expect(everythingOf(classified)).not.toContain(SECRET)
    }
    await closed.end()
    await other.end({ timeout: 1 })
  })

  it('is late, with an unknown outcome, when an answer does not come', async () => {
    for (const driver of [drivers.pg!, drivers['postgres-js']!]) {
      await driver.query({ name: 'warm', text: 'select 1::text', values: [] }, { timeout: 20_000 })
      const error = await fail(driver, `select 'x' from pg_sleep(2)`, [], 200)
      expect(classifyDatabaseError(error, statement)).toMatchObject({
        code: 'ERR_STORE_UNAVAILABLE',
        outcome: 'unknown',
        message: expect.stringContaining('did not answer in time'),
      })
    }
  })

  it('wrote nothing when no connection was free in time', async () => {
    const failures: unknown[] = []
    for (const connectionTimeoutMillis of [0, 50]) {
      const small = new pg.Pool({ connectionString: database.url, max: 1 })
      const held = await small.connect()
      // Only now: a busy machine takes longer to connect.
      small.options.connectionTimeoutMillis = connectionTimeoutMillis
      const ours = connectionTimeoutMillis === 0
      failures.push(await fail(fromPg(small), 'select 1::text', [], ours ? 50 : 20_000))
      held.release()
      await small.end()
      failures.push(await fail(fromPg(small), 'select 1::text', []))
    }
    for (const error of failures) {
      expect(classifyDatabaseError(error, statement)).toMatchObject({
        code: 'ERR_STORE_UNAVAILABLE',
        outcome: 'none',
      })
    }
  })

  it('may have acted when the connection broke', async () => {
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    const driver = fromPgClient(client)
    const [row] = await driver.query(
      { name: 'pid', text: 'select pg_backend_pid()::text as pid', values: [] },
      { timeout: 20_000 },
    )
    const broken = fail(driver, `select 'x' from pg_sleep(60)`, [])
    await database.query(`select pg_terminate_backend(${row?.pid})`)
    expect(classifyDatabaseError(await broken, statement)).toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
      outcome: 'unknown',
    })
    await client.end()
    const after = await fail(driver, 'select 1::text', [])
    expect(classifyDatabaseError(after, statement)).toMatchObject({ outcome: 'none' })
  })

  it.each([
    ['ECONNRESET', 'unknown'],
    ['EPIPE', 'unknown'],
    ['EHOSTUNREACH', 'unknown'],
    ['ENOTFOUND', 'none'],
  ])('is known by the code %s of Node', (code, outcome) => {
    const error = Object.assign(new Error(`read ${code}`), { code })
    expect(classifyDatabaseError(error, statement)).toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
      outcome,
      sqlState: undefined,
    })
  })

  it.each([
    ['CONNECTION_CLOSED', 'unknown'],
    ['CONNECTION_DESTROYED', 'unknown'],
    ['CONNECTION_ENDED', 'none'],
    ['CONNECT_TIMEOUT', 'none'],
  ])('is known by the code %s of postgres.js, as its driver explains it', (code, outcome) => {
    const error = Object.assign(new Error(`read ${code}`), { code })
    noteExplanation(drivers['postgres-js']!, error)
    expect(classifyDatabaseError(error, statement)).toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
      outcome,
      sqlState: undefined,
    })
  })

  it('was surely not asked when no address of its host could be connected to', () => {
    const attempt = (address: string): Error =>
      Object.assign(new Error(`connect EHOSTUNREACH ${address}:5432`), {
        code: 'EHOSTUNREACH',
        syscall: 'connect',
      })
    // Node's error has no message and no syscall of its own.
    const error = Object.assign(new AggregateError([attempt('::1'), attempt('127.0.0.1')]), {
      code: 'EHOSTUNREACH',
    })
    const classified = classifyDatabaseError(error, statement)
    expect(classified).toMatchObject({ outcome: 'none' })
    expect(classified.cause).toMatchObject({ message: 'connect EHOSTUNREACH ::1:5432' })
  })

  it('was surely not asked when connecting failed, whatever the code', () => {
    const error = Object.assign(new Error('connect ETIMEDOUT'), {
      code: 'ETIMEDOUT',
      syscall: 'connect',
    })
    expect(classifyDatabaseError(error, statement)).toMatchObject({ outcome: 'none' })
  })
})

describe('advice', () => {
  const classify = async (code: string): Promise<SessionError> =>
    classifyDatabaseError(await raised(drivers.pg!, code), statement)

  it('names the migration when tables or columns are missing', async () => {
    for (const [code, kind] of [
      ['42P01', 'ERR_SCHEMA_MISSING'],
      ['3F000', 'ERR_SCHEMA_MISSING'],
      ['42703', 'ERR_SCHEMA_OUTDATED'],
    ] as const) {
      const error = await classify(code)
      expect(error.code).toBe(kind)
      expect(error.message).toContain('pg-sessions migrate')
      expect(error.message).toContain(`migrate: 'auto'`)
    }
  })

  it('names the rights that the role lacks', async () => {
    expect((await classify('42501')).message).toMatch(/USAGE.*SELECT, INSERT, UPDATE and DELETE/)
  })

  it('names the switch for poolers that lose prepared statements, and allows a retry', async () => {
    for (const code of ['26000', '42P05']) {
      const error = await classify(code)
      expect(error.message).toContain('{ prepare: false }')
      expect(isRetryable(error)).toBe('safe')
    }
  })

  it('names user, password and database when the server refuses the login', async () => {
    expect((await classify('28P01')).message).toContain('check the user, password')
  })
})

describe('other errors', () => {
  it('pass through when they are of this package', () => {
    const gone = new SessionGoneError('id')
    expect(classifyDatabaseError(gone, statement)).toBe(gone)
    expect(isRetryable(gone)).toBe('no')
  })

  it('become store errors that show nothing, whatever was thrown', () => {
    const url = `postgres://ann:${SECRET}@host/d`
    const thrown = [
      Object.assign(new TypeError(`Invalid URL: ${url}`), { input: url, code: 'ERR_INVALID_URL' }),
      Object.assign(new Error(SECRET), { name: SECRET, code: `code ${SECRET}`, cause: url }),
      SECRET,
      null,
      undefined,
      { message: SECRET, query: SECRET },
    ]
    for (const error of thrown) {
      const classified = classifyDatabaseError(error, statement)
      expect(classified.code).toBe('ERR_STORE')
      expect(isRetryable(error)).toBe('no')
      expect(everythingOf(classified)).not.toContain(SECRET)
    }
  })

  it('are not SQLSTATE because of five capital letters', () => {
    expect(sqlStateOf(Object.assign(new Error(), { code: 'EPIPE' }))).toBeUndefined()
  })
})
