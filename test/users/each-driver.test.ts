import { createSessions } from 'pg-sessions'
import { describe, expect, test } from 'vitest'
import { eachDriver } from '../support/each-driver.ts'

const USERS = `create schema app;
  create table app.users (id bigint primary key, name text not null, tags jsonb not null);
  insert into app.users select n, 'user ' || n, '["a", 1, null]' from generate_series(1, 50) as n`

describe.each(eachDriver)('with %s', (_, open) => {
  test("50 concurrent requests see their own user, in shared statements and after a user's change", async () => {
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
    const visitAll = (): Promise<unknown[]> =>
      Promise.all(
        cookies.map(async (cookie) => {
          const { session } = sessions.open(cookie)
          await session.load()
          return session.user
        }),
      )
    const expected = (what: string): object[] =>
      cookies.map((_, n) => ({
        id: String(n + 1),
        name: `${what} ${n + 1}`,
        tags: ['a', 1, null],
      }))
    expect(await visitAll()).toEqual(expected('user'))
    await driver.withConnection((connection) =>
      connection.run("update app.users set name = 'changed ' || id"),
    )
    expect(await visitAll()).toEqual(expected('changed'))
    await sessions.close()
  })
})
