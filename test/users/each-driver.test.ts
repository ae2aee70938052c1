import { PGlite } from '@electric-sql/pglite'
import { Client, Pool } from 'pg'
import { createSessions } from 'pg-sessions'
import type { Driver } from 'pg-sessions/driver'
import { fromPg, fromPgClient } from 'pg-sessions/pg'
import { fromPglite } from 'pg-sessions/pglite'
import { fromPostgresJs } from 'pg-sessions/postgres-js'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

const USERS = `create schema app;
  create table app.users (id bigint primary key, name text not null, tags jsonb not null);
  insert into app.users select n, 'user ' || n, '["a", 1, null]' from generate_series(1, 50) as n`

interface Opened {
  readonly driver: Driver
  close(): Promise<unknown>
}

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
  await database.query(USERS)
})
afterAll(() => database.drop())

const drivers: Readonly<Record<string, () => Promise<Opened>>> = {
  async pg() {
    const pool = new Pool({ connectionString: database.url })
    return { driver: fromPg(pool), close: () => pool.end() }
  },
  async 'one pg client'() {
    const client = new Client({ connectionString: database.url })
    await client.connect()
    return { driver: fromPgClient(client), close: () => client.end() }
  },
  async 'postgres.js'() {
    const sql = postgres(database.url)
    return { driver: fromPostgresJs(sql), close: () => sql.end() }
  },
  async PGlite() {
    const db = new PGlite()
    await db.exec(USERS)
    return { driver: fromPglite(db), close: () => db.close() }
  },
}

describe.each(Object.entries(drivers))('with %s', (_, open) => {
  test('50 concurrent requests see their own user, alone and in a shared statement', async () => {
    const { driver, close } = await open()
    const sessions = createSessions({
      database: driver,
      user: { select: 'id, name, tags', from: 'app.users', key: 'id' },
      log: false,
    })
    await sessions.ready()
    const cookies = await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        const exchange = sessions.open(undefined)
        await exchange.session.signIn(String(n + 1))
        await exchange.commit()
        return exchange.head.setCookies[0]?.split(';')[0] ?? ''
      }),
    )
    const users = await Promise.all(
      cookies.map(async (cookie) => {
        const { session } = sessions.open(cookie)
        await session.load()
        return session.user
      }),
    )
    const expected = cookies.map((_, n) => ({
      id: String(n + 1),
      name: `user ${n + 1}`,
      tags: ['a', 1, null],
    }))
    expect(users).toEqual(expected)
    await sessions.close()
    await close()
  })
})
