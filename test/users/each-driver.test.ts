import { createSessions } from 'pg-sessions'
import { describe, expect, test } from 'vitest'
import { eachDriver } from '../support/each-driver.ts'

const USERS = `create schema app;
  create table app.users (id bigint primary key, name text not null, tags jsonb not null);
  insert into app.users select n, 'user ' || n, '["a", 1, null]' from generate_series(1, 50) as n`

describe.each(eachDriver)('with %s', (_, open) => {
  test('50 concurrent requests see their own user, alone and in a shared statement', async () => {
    await using opened = await open()
    const { driver } = opened
    await driver.withConnection((connection) => connection.run(USERS))
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
  })
})
