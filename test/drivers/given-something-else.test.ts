import pg from 'pg'
import { createSessions, MemoryStore } from 'pg-sessions'
import { fromPg, fromPgClient } from 'pg-sessions/pg'
import { fromPglite } from 'pg-sessions/pglite'
import { fromPostgresJs } from 'pg-sessions/postgres-js'
import postgres from 'postgres'
import { expect, test, vi } from 'vitest'
import { openPglite } from '../support/pglite.ts'

const URL_WITH_PASSWORD = 'postgres://ann:s3cret@localhost/shop'

const makers = {
  fromPg: [fromPg, 'fromPg(new Pool({ connectionString }))'],
  fromPgClient: [fromPgClient, 'await client.connect()'],
  fromPostgresJs: [fromPostgresJs, 'fromPostgresJs(postgres(url))'],
  fromPglite: [fromPglite, 'fromPglite(await PGlite.create())'],
} as const

function refusal(make: () => unknown): TypeError {
  try {
    make()
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError)
    return error as TypeError
  }
  throw new Error('It was taken.')
}

test.each(Object.entries(makers))('%s says what to write, and shows no address', (_, made) => {
  const [make, advice] = made
  for (const given of [URL_WITH_PASSWORD, undefined, null, {}, Promise.resolve()]) {
    const { message } = refusal(() => make(given as never))
    expect(message).toContain(advice)
    expect(message).not.toContain('s3cret')
  }
})

test.each([
  ['undefined', undefined, 'It is undefined'],
  ['a connection string', URL_WITH_PASSWORD, 'It is a string'],
  ['a promise', Promise.resolve(), 'await it'],
  ['the class', pg.Pool, 'make an instance with new'],
  ['an options object', { connectionString: URL_WITH_PASSWORD }, 'It is another object'],
  ['a client of Supabase', { from: 1, rpc: 1, auth: 1 }, 'speaks HTTP'],
])('fromPg says that it was given %s', (_, given, words) => {
  const { message } = refusal(() => fromPg(given as never))
  expect(message).toContain(words)
  expect(message).not.toContain('s3cret')
})

test.each([
  ['a pool', new pg.Pool(), 'fromPg(pool)'],
  ['a driver', fromPg(new pg.Pool()), 'createSessions({ database: driver })'],
  ['a store', new MemoryStore(), 'createSessions({ store })'],
])('createSessions recognizes %s in the place of its settings', (_, given, line) => {
  expect(() => createSessions(given as never)).toThrow(line)
})

test.each([
  ['no address', {}, 'is DATABASE_URL set?'],
  ['an address that is unset', { connectionString: undefined }, 'is DATABASE_URL set?'],
  ['a line without postgres://', { connectionString: '127.0.0.1:1/shop' }, 'postgres://'],
  ['an address of the web', { connectionString: 'https://shop.invalid:1' }, 'postgres://'],
])('a database that cannot be reached by %s says so', (_, settings, words) => {
  const { explain } = fromPg(new pg.Pool(settings))
  const error = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  vi.stubEnv('PGHOST', undefined)
  vi.stubEnv('PGUSER', undefined)
  const advice = explain?.(error)?.advice
  vi.unstubAllEnvs()
  expect(advice).toContain(words)
})

test('a driver refuses options that it does not have', () => {
  const misspelt = { prepared: false } as never
  const makes = [
    () => fromPg(new pg.Pool(), misspelt),
    () => fromPgClient(new pg.Client(), misspelt),
    () => fromPostgresJs(postgres(), misspelt),
  ]
  for (const make of makes) expect(make).toThrow('Did you mean prepare?')
})

test('a pool that was ended is named as the reason', async () => {
  const pool = new pg.Pool()
  const sessions = createSessions({ database: fromPg(pool), log: false })
  await pool.end()
  await expect(sessions.ready()).rejects.toThrow(/has closed it: .* Nothing was written\.$/)
})

/** Their packages are not part of this one: each here has the methods that tell it from others. */
const strangers: readonly [string, readonly string[], string][] = [
  ['Redis', ['connect', 'on', 'sendCommand', 'get', 'set'], 'a client of Redis'],
  ['Slonik', ['connect', 'any', 'maybeOne', 'oneFirst', 'query', 'end'], 'a pool of Slonik'],
  ['MongoDB', ['connect', 'on', 'db', 'startSession'], 'a client of MongoDB'],
  ['MySQL', ['getConnection', 'on', 'query', 'execute'], 'a pool of MySQL'],
  ['an unknown library', ['connect', 'query'], 'a Pool of the package pg'],
]

test.each(strangers)('fromPg names a client of %s, and what to write', (_, methods, named) => {
  const client = Object.fromEntries(methods.map((name) => [name, () => undefined]))
  const { message } = refusal(() => fromPg(client as never))
  expect(message).toContain(named)
  expect(message).toContain('new Pool({ connectionString')
})

test('each driver refuses the clients of the others', async () => {
  const pool = new pg.Pool()
  const client = new pg.Client()
  const sql = postgres()
  const db = await openPglite()
  expect(refusal(() => fromPg(client as never)).message).toContain('fromPgClient(client)')
  expect(refusal(() => fromPgClient(pool as never)).message).toContain('fromPg(pool)')
  refusal(() => fromPg(sql as never))
  refusal(() => fromPg(db as never))
  refusal(() => fromPostgresJs(pool as never))
  refusal(() => fromPostgresJs(db as never))
  refusal(() => fromPglite(pool as never))
  refusal(() => fromPglite(sql as never))
  await Promise.all([pool.end(), sql.end(), db.close()])
})
