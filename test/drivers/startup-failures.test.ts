import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { PostgresStore } from 'pg-sessions'
import type { Driver } from 'pg-sessions/driver'
import { fromPg, fromPgClient } from 'pg-sessions/pg'
import { fromPostgresJs } from 'pg-sessions/postgres-js'
import postgres from 'postgres'
import { describe, expect, inject, test } from 'vitest'
import { startRefusingServer } from '../../src/testing/driver-contract/refusing-server.ts'

interface Opened extends AsyncDisposable {
  readonly driver: Driver
}

const clients: Record<string, (url: string) => Opened> = {
  pg: (url) => {
    const pool = new pg.Pool({ connectionString: url })
    return { driver: fromPg(pool), [Symbol.asyncDispose]: () => pool.end() }
  },
  'postgres.js': (url) => {
    const sql = postgres(url)
    const end = () => sql.end({ timeout: 1 })
    return { driver: fromPostgresJs(sql), [Symbol.asyncDispose]: end }
  },
}

interface Failure {
  readonly code: string
  readonly outcome?: string
  readonly message: string
}

async function failureOf(
  driver: Driver,
  migrate: 'auto' | 'check' | 'off' = 'off',
): Promise<Failure> {
  const store = new PostgresStore({ driver, migrate })
  return await store.destroy({ id: randomUUID() }).then(
    () => {
      throw new Error('It was destroyed.')
    },
    (error: Failure) => error,
  )
}

const passing = {
  'a pooler has no room': { code: 'XX000', message: 'Max client connections reached' },
  'a control plane fails': { code: 'XX000', message: 'Control plane request failed' },
  'PgBouncer has no room': { code: '08P01', message: 'no more connections allowed' },
  'PgBouncer cannot log in': { code: '08P01', message: 'server login has been failing' },
  'the server is full': { code: '53300', message: 'sorry, too many clients already' },
  'the server starts': { code: '57P03', message: 'the database system is starting up' },
}

const lasting = {
  'the password is wrong': {
    code: '28P01',
    message: 'password authentication failed for user "ann"',
  },
  'the user is unknown': { code: '28000', message: 'role "ann" does not exist' },
  'the database is unknown': { code: '3D000', message: 'database "shop" does not exist' },
  'the user may not enter the database': {
    code: '42501',
    message: 'permission denied for database "shop"',
  },
  'a setting is unknown': {
    code: '42704',
    message: 'unrecognized configuration parameter "statment_timeout"',
  },
  'the server takes encrypted connections only': {
    code: '28000',
    message: 'no pg_hba.conf entry for host "10.0.0.7", user "ann", database "shop", no encryption',
  },
}

describe.each(Object.entries(clients))('%s, while connecting', (_, open) => {
  test.each(Object.entries(lasting))(
    '%s: it is tried once, and the reason is shown',
    async (_name, refusal) => {
      await using server = await startRefusingServer(refusal)
      await using opened = open(server.url)
      const failure = await failureOf(opened.driver)
      expect(failure.code).toMatch(/^ERR_(?:STORE|CONFIGURATION)$/)
      expect(failure.message).toContain(refusal.message)
      expect(failure.message).toContain(`${new URL(server.url).host}, database "shop"`)
      expect(failure.message).not.toContain('s3cret')
      expect(server.refused).toBe(1)
    },
  )

  test.each(Object.entries(passing))(
    '%s: nothing was written, it is tried again, and the reason is shown',
    async (_name, refusal) => {
      await using server = await startRefusingServer(refusal)
      await using opened = open(server.url)
      const failure = await failureOf(opened.driver)
      expect(failure).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', outcome: 'none' })
      expect(failure.message).toContain(refusal.message)
      expect(failure.message).toContain(`SQLSTATE ${refusal.code}`)
      expect(failure.message).toContain(`${new URL(server.url).host}, database "shop"`)
      expect(failure.message).not.toContain('s3cret')
      expect(server.refused).toBe(3)
    },
  )

  test.each(['auto', 'check'] as const)(
    'the first contact says the same, and tries as often, with migrate: %s',
    async (migrate) => {
      const room = passing['a pooler has no room']
      await using pooler = await startRefusingServer(room)
      await using full = open(pooler.url)
      const fullness = await failureOf(full.driver, migrate)
      expect(fullness).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', outcome: 'none' })
      expect(fullness.message).toContain(room.message)
      expect(pooler.refused).toBe(3)
      const wrong = lasting['the password is wrong']
      await using server = await startRefusingServer(wrong)
      await using locked = open(server.url)
      const refusal = await failureOf(locked.driver, migrate)
      expect(refusal.message).toContain(wrong.message)
      expect(refusal.message).toContain(`${new URL(server.url).host}, database "shop"`)
      expect(server.refused).toBe(1)
      await using refused = open('postgres://ann:s3cret@127.0.0.1:1/shop')
      const port = await failureOf(refused.driver, migrate)
      expect(port.message).toMatch(/ECONNREFUSED.*127\.0\.0\.1:1, database "shop"/)
    },
  )

  test('the socket closes: nothing was written', async () => {
    await using server = await startRefusingServer(null)
    await using opened = open(server.url)
    const failure = await failureOf(opened.driver)
    expect(failure).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', outcome: 'none' })
    expect(server.refused).toBe(3)
  })

  test('a pooler takes no startup parameter: the message names it and where it is set', async () => {
    await using server = await startRefusingServer({
      code: '08P01',
      message: 'unsupported startup parameter: statement_timeout',
    })
    await using opened = open(server.url)
    const failure = await failureOf(opened.driver)
    expect(failure).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', outcome: 'none' })
    expect(failure.message).toMatch(/remove statement_timeout from .*option/)
  })

  test('the server wants TLS: the message says so', async () => {
    await using server = await startRefusingServer({
      code: '28000',
      message:
        'no pg_hba.conf entry for host "10.0.0.7", user "ann", database "shop", no encryption',
    })
    await using opened = open(server.url)
    const failure = await failureOf(opened.driver)
    expect(failure.message).toContain('TLS')
    expect(failure.message).not.toContain('Check the user')
  })

  test('a refused port and an unknown host are named, with the code of Node', async () => {
    await using refused = open('postgres://ann:s3cret@127.0.0.1:1/shop')
    const port = await failureOf(refused.driver)
    expect(port).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', outcome: 'none' })
    expect(port.message).toMatch(/ECONNREFUSED.*127\.0\.0\.1:1, database "shop"/)
    await using unknown = open('postgres://ann:s3cret@no-such-host.invalid/shop')
    const host = await failureOf(unknown.driver)
    expect(host.message).toMatch(/(?:ENOTFOUND|EAI_AGAIN).*no-such-host\.invalid:5432/)
  })
})

test('a function that fails to give the password ends the startup, and its reason is shown', async () => {
  const failing = async (): Promise<string> => {
    throw new Error('the vault is sealed')
  }
  const url = new URL(inject('postgresUrl'))
  const host = { host: url.hostname, port: Number(url.port), user: 'postgres' }
  const pool = new pg.Pool({ ...host, password: failing })
  const sql = postgres({ ...host, password: failing })
  for (const driver of [fromPg(pool), fromPostgresJs(sql)]) {
    const failure = await failureOf(driver)
    expect(failure).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', outcome: 'none' })
    expect(failure.message).toContain('the vault is sealed')
  }
  const client = new pg.Client({ ...host, password: failing })
  expect((await failureOf(fromPgClient(client))).message).toContain('await client.connect()')
  await Promise.all([pool.end(), sql.end()])
})

test('a missing password is a configuration error that says so', async () => {
  const { startEmbeddedPostgres } = await import('pg-sessions/embedded-postgres')
  const server = await startEmbeddedPostgres()
  try {
    const url = new URL(server.url)
    url.password = ''
    await using opened = clients['pg']?.(url.href) as Opened
    const failure = await failureOf(opened.driver)
    expect(failure).toMatchObject({ code: 'ERR_CONFIGURATION' })
    expect(failure.message).toMatch(/asks for a password, and none is set/)
  } finally {
    await server.stop()
  }
})

test('a certificate file that is missing is a configuration error that names it', async () => {
  await using opened = clients['pg']?.(
    'postgres://ann:s3cret@127.0.0.1:1/shop?sslmode=verify-full&sslrootcert=/no/such/ca.pem',
  ) as Opened
  const failure = await failureOf(opened.driver)
  expect(failure).toMatchObject({ code: 'ERR_CONFIGURATION' })
  expect(failure.message).toContain('/no/such/ca.pem')
  expect(failure.message).not.toContain('s3cret')
})

test("the error inside a WebSocket's ErrorEvent is explained, as Neon's pool throws it", async () => {
  const inner = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), {
    code: 'ECONNREFUSED',
    syscall: 'connect',
  })
  const pool = {
    on: () => pool,
    options: {},
    connect: (callback: (error: unknown) => void) =>
      callback({ type: 'error', error: inner, message: '' }),
  }
  const failure = await failureOf(fromPg(pool as never))
  expect(failure).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', outcome: 'none' })
  expect(failure.message).toContain('ECONNREFUSED')
})
