import { Client } from 'pg'
import { type FaultProxy, startFaultProxy } from 'pg-sessions/testing'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

let database: TestDatabase
let proxy: FaultProxy
const clients: Client[] = []

beforeAll(async () => {
  database = await createTestDatabase()
  await database.query('create table mark (n int)')
})
afterAll(() => database.drop())

beforeEach(async () => {
  await database.query('truncate mark')
  proxy = await startFaultProxy(database.url)
})
afterEach(async () => {
  await proxy.close()
  await Promise.all(clients.splice(0).map((client) => client.end()))
})

async function connect(): Promise<Client> {
  const client = new Client({ connectionString: proxy.url })
  client.on('error', () => {})
  clients.push(client)
  await client.connect()
  return client
}

async function marks(): Promise<unknown> {
  const [row] = await database.query('select count(*)::int as marks from mark')
  return row?.marks
}

test('passes everything on, small and large, both ways', async () => {
  const client = await connect()
  const large = 'x'.repeat(3_000_000)
  const { rows } = await client.query('select $1::text as large, 1 as small', [large])
  expect(rows).toEqual([{ large, small: 1 }])
  expect(proxy.connections).toBe(1)
})

test('a refusing proxy is down for open and new connections, and comes back', async () => {
  const before = await connect()
  await proxy.refuse()
  await expect(before.query('select 1')).rejects.toThrow()
  await expect(connect()).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  await proxy.pass()
  const after = await connect()
  expect((await after.query('select 1 as one')).rows).toEqual([{ one: 1 }])
})

test('a black hole holds what it takes, in both directions, and lets it go later', async () => {
  const client = await connect()
  await proxy.blackHole()
  const insert = client.query('insert into mark values (1)')
  const late = connect()
  // The database answers to us, who go round the proxy, while the others wait.
  for (let round = 0; round < 20; round += 1) expect(await marks()).toBe(0)
  await proxy.pass()
  await Promise.all([insert, late])
  expect(await marks()).toBe(1)
})

test('a delay comes before what is sent and before what comes back', async () => {
  const client = await connect()
  await proxy.delay(60)
  const begin = performance.now()
  await client.query('select 1')
  expect(performance.now() - begin).toBeGreaterThan(115)
})

test('a reply can get lost after the server has done its work', async () => {
  const client = await connect()
  const lost = proxy.cutBefore(({ from, type }) => from === 'server' && type === 'C')
  await expect(client.query('insert into mark values (1)')).rejects.toThrow()
  await lost
  expect(await marks()).toBe(1)
})

test('a request can get lost before the server hears of it', async () => {
  const client = await connect()
  const lost = proxy.cutBefore(({ bytes }) => bytes.includes('insert into mark'))
  await expect(client.query('insert into mark values (1)')).rejects.toThrow()
  await lost
  expect(await marks()).toBe(0)
})

test('a connection can be cut after a number of messages, and only that one', async () => {
  const [one, other] = [await connect(), await connect()]
  const cut = proxy.cutAfter('client', 2)
  await one.query('insert into mark values (1)')
  await expect(one.query('select pg_sleep(1)')).rejects.toThrow()
  await cut
  await other.query('insert into mark values (2)')
  expect(await marks()).toBe(2)
})

test('cutting ends what is open and nothing else', async () => {
  const before = await connect()
  proxy.cut()
  await expect(before.query('select 1')).rejects.toThrow()
  await connect()
  await expect.poll(() => proxy.connections, { timeout: 15_000 }).toBe(1)
})

test('new connections can pass while old ones stay in the hole', async () => {
  const old = await connect()
  await proxy.blackHole()
  const lost = old.query('insert into mark values (1)').catch(() => 'lost')
  proxy.passNew()
  const fresh = await connect()
  await fresh.query('insert into mark values (2)')
  expect(await marks()).toBe(1)
  proxy.cut()
  expect(await lost).toBe('lost')
})

test('a sliced answer arrives whole', async () => {
  const client = await connect()
  const sliced = proxy.slice(({ from, type }) => from === 'server' && type === 'D')
  const { rows } = await client.query(`select 'a row of some bytes' as row`)
  await sliced
  expect(rows).toEqual([{ row: 'a row of some bytes' }])
})
