import pg from 'pg'
import { fromPgClient, type PgClientLike } from 'pg-sessions/pg'
import { type DriverHarness, driverContract } from 'pg-sessions/testing'
import { afterAll, afterEach, beforeAll, describe, expect, expectTypeOf, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { addressOf, at } from '../support/database-address.ts'

let database: TestDatabase
const open: pg.Client[] = []
const warnings: Error[] = []

beforeAll(async () => {
  process.on('warning', (warning) => warnings.push(warning))
  database = await createTestDatabase()
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.end()))
})
afterAll(() => database.drop())

const patient = { timeout: 20_000 }
const xid = {
  name: 'transaction',
  text: 'select pg_current_xact_id()::text as transaction',
  values: [],
}
const one = { name: 'one', text: 'select 1::text as one', values: [] }
const sleep = { name: 'sleep', text: `select 'slept' as x from pg_sleep(60)`, values: [] }

async function openClient(config: pg.ClientConfig = {}): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: database.url, ...config })
  await client.connect()
  open.push(client)
  return client
}

async function openHarness(options: { prepare: boolean }): Promise<DriverHarness> {
  const client = await openClient({ types: { getTypeParser: () => () => 'spoilt' } })
  return {
    driver: fromPgClient(client, options),
    connections: 1,
    runOnClient: async (sql) => {
      await client.query(sql)
    },
    useClient: async () => {
      await client.query('select 1')
    },
    killBackends: async () => {
      await database.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and pid <> pg_backend_pid()`,
      )
    },
    server: addressOf(database.url),
    driverAt: async (host, port) => {
      const other = new pg.Client({ connectionString: at(database.url, host, port) })
      await other.connect()
      return { driver: fromPgClient(other, options), dispose: () => other.end() }
    },
    dispose: () => client.end(),
  }
}

describe('fromPgClient keeps the driver contract', () => {
  driverContract({ describe, it }, () => openHarness({ prepare: true }), { reconnects: false })
})

describe('fromPgClient without prepared statements keeps the driver contract', () => {
  driverContract({ describe, it }, () => openHarness({ prepare: false }), { reconnects: false })
})

describe('fromPgClient', () => {
  it('takes every Client of pg, and a client of a pool, as it is', () => {
    expectTypeOf<pg.Client>().toExtend<PgClientLike>()
    expectTypeOf<pg.PoolClient>().toExtend<PgClientLike>()
  })

  it('never sends a statement while another is under way, which pg warns of', async () => {
    const driver = fromPgClient(await openClient())
    // The contract's tests use the client beside the driver, which may have caused earlier warnings.
    const earlier = warnings.length
    await Promise.all(Array.from({ length: 20 }, () => driver.query(one, patient)))
    expect(warnings.slice(earlier)).toEqual([])
  })

  it('keeps transactions apart on one client that was wrapped twice', async () => {
    const client = await openClient()
    const drivers = [fromPgClient(client), fromPgClient(client)]
    const transact = (count: number): Promise<Set<string | null | undefined>> =>
      drivers[count % 2]!.withConnection(async (connection) => {
        await connection.run('begin')
        const [before] = await connection.query(xid, patient)
        const [after] = await connection.query(xid, patient)
        await connection.run('commit')
        return new Set([before?.transaction, after?.transaction])
      })
    const seen = await Promise.all(Array.from({ length: 20 }, (_, count) => transact(count)))
    expect(seen.map(({ size }) => size)).toEqual(Array(20).fill(1))
    expect(new Set(seen.flatMap((ids) => [...ids])).size).toBe(20)
    expect(client.listenerCount('error')).toBe(1)
  })

  it('refuses every call at once after its connection died, and leaves no call waiting', async () => {
    const client = await openClient()
    const driver = fromPgClient(client)
    const caught = [driver.query(sleep, patient), driver.query(one, patient)]
    const failures = Promise.allSettled([...caught, driver.withConnection(() => caught[0]!)])
    const death = new Promise((resolve) => client.once('end', resolve))
    await database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()`,
    )
    expect((await failures).map(({ status }) => status)).toEqual(Array(3).fill('rejected'))

    await death
    const refusal = { code: 'ENOTCONN', message: expect.stringContaining('Connect a new client') }
    await expect(driver.query(one, patient)).rejects.toMatchObject(refusal)
    await expect(driver.withConnection(async () => {})).rejects.toMatchObject(refusal)
  })

  it('refuses calls while a lent connection that died is not given back: new ones at once', async () => {
    const client = await openClient()
    const driver = fromPgClient(client)
    let giveBack = (): void => {}
    const loan = driver.withConnection(
      () =>
        new Promise<void>((resolve) => {
          giveBack = resolve
        }),
    )
    const waiting = driver.query(one, patient)
    const death = new Promise((resolve) => client.once('end', resolve))
    await database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()`,
    )
    await death
    await expect(driver.query(one, patient)).rejects.toMatchObject({ code: 'ENOTCONN' })
    giveBack()
    await expect(waiting).rejects.toMatchObject({ code: 'ENOTCONN' })
    await loan
  })

  it('refuses calls after its owner closed the client', async () => {
    const client = await openClient()
    const driver = fromPgClient(client)
    await driver.query(one, patient)
    await client.end()
    await expect(driver.query(one, patient)).rejects.toMatchObject({ code: 'ENOTCONN' })
  })
})
