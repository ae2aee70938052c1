import pg from 'pg'
import { fromPg, fromPgClient } from 'pg-sessions/pg'
import { fromPglite } from 'pg-sessions/pglite'
import { fromPostgresJs } from 'pg-sessions/postgres-js'
import postgres from 'postgres'
import { expect, test } from 'vitest'
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
