import { inspect } from 'node:util'
import knex from 'knex'
import { createSessions, type Sessions } from 'pg-sessions'
import { fromPg, knexPool, sequelizePool } from 'pg-sessions/pg'
import { Sequelize } from 'sequelize'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

interface Opened {
  readonly driver: ReturnType<typeof fromPg>
  close(): Promise<void>
}

/** The ORMs whose pools are reached, with four connections. */
const orms: Readonly<Record<string, (url: string) => Opened>> = {
  Knex(url) {
    const db = knex({ client: 'pg', connection: url, pool: { min: 0, max: 4 } })
    return {
      driver: fromPg(knexPool(db)),
      close: () => db.destroy(),
    }
  },
  Sequelize(url) {
    const sequelize = new Sequelize(url, { logging: false, pool: { max: 4 } })
    return {
      driver: fromPg(sequelizePool(sequelize)),
      close: () => sequelize.close(),
    }
  },
}

test.each(Object.entries(orms))('sessions share the connections of %s', async (_, open) => {
  const { driver, close } = open(database.url)
  const sessions = createSessions({ database: driver, log: false })
  const { id } = await signIn(sessions)
  const ended = new Promise((resolve) => sessions.watch(id, resolve))
  await sessions.destroyByUser('ann')
  expect(await ended).toBe('gone')
  await sessions.close()
  await close()
})

async function signIn(sessions: Sessions): Promise<{ id: string }> {
  const { session } = sessions.open(null)
  await session.signIn('ann')
  return { id: String(session.id) }
}

test('anything else in the place of an ORM is refused, and no password is shown', async () => {
  for (const make of [knexPool, sequelizePool]) {
    for (const other of [undefined, {}, new Map(), new URL('postgres://a:b@c')]) {
      expect(() => make(other as never)).toThrow(TypeError)
    }
  }
  const secret = 'postgres://ann:secret@localhost/shop'
  const pools = [
    knexPool(knex({ client: 'pg', connection: secret })),
    sequelizePool(new Sequelize(secret, { logging: false })),
  ]
  for (const pool of pools) {
    expect(pool.options).toMatchObject({ password: 'secret' })
    expect(inspect(pool, { depth: 9 })).not.toContain('secret')
  }
})
