import { createSessions, type Sessions } from 'pg-sessions'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { type Client, clients } from './clients.ts'
import { cookieOf, userOf } from './visitors.ts'

describe.each(Object.entries(clients))('in a transaction of %s', (_, open) => {
  let database: TestDatabase
  let client: Client
  let sessions: Sessions

  beforeAll(async () => {
    database = await createTestDatabase()
    client = await open(database.url)
    sessions = createSessions({ database: client.driver, log: false })
    await sessions.ready()
    await client.transaction(async (_, run) => {
      await run('create table account (id text primary key, password text)')
      await run(`insert into account values ('ann', 'old')`)
    })
  })
  afterAll(async () => {
    await sessions.close()
    await client.close()
    await database.drop()
  })

  const changePassword = (password: string, except?: string) => ({
    to: (isToFail: boolean) =>
      client.transaction(async (tx, run) => {
        await run(`update account set password = '${password}' where id = 'ann'`)
        expect(await sessions.in(tx).destroyByUser('ann', { except: except ?? null })).toBe(1)
        if (isToFail) throw new Error('changed my mind')
      }),
  })

  test('sessions end with the commit, and live on after a rollback', async () => {
    const ended: unknown[] = []
    const stop = sessions.on('destroyed', (event) => ended.push(event))
    const [first, kept] = [await cookieOf(sessions, 'ann'), await cookieOf(sessions, 'ann')]
    const watched = new Promise((resolve) => sessions.watch(first.id, resolve))

    await expect(changePassword('new', kept.id).to(true)).rejects.toThrow('changed my mind')
    expect(await userOf(sessions, first)).toBe('ann')
    await changePassword('newer', kept.id).to(false)

    expect(await watched).toBe('gone')
    expect(await userOf(sessions, first)).toBeNull()
    expect(await userOf(sessions, kept)).toBe('ann')
    await client.transaction(async (tx) => {
      const by = sessions.in(tx)
      expect(await by.destroyById(kept.id, { userId: 'bob' })).toBe(false)
      expect(await by.destroyById(kept.id, { userId: 'ann' })).toBe(true)
      expect(await by.destroyById(kept.id)).toBe(false)
    })
    expect(await userOf(sessions, kept)).toBeNull()
    await expect.poll(() => ended).toHaveLength(2)
    expect(new Set(ended)).toEqual(
      new Set([first, kept].map(({ id }) => ({ sessionId: id, userId: 'ann' }))),
    )
    stop()
  })

  test.each(['repeatable read', 'serializable'])(
    'under %s, a session that began after the snapshot is not left alive in silence',
    async (level) => {
      const first = await cookieOf(sessions, 'cid')
      let later = first
      const isAlone = client.driver.hasOnlyConnection === true
      const ends = (begins: boolean): Promise<void> =>
        client.transaction(async (tx, run) => {
          await run(`set transaction isolation level ${level}`)
          await run('select from account')
          if (begins) later = await cookieOf(sessions, 'cid')
          const by = sessions.in(tx)
          if (begins) await expect(by.destroyById(later.id)).rejects.toThrow('does not see a live')
          expect(await by.destroyByUser('cid')).toBe(isAlone ? 1 : 2)
        })
      if (!isAlone) {
        await expect(ends(true)).rejects.toMatchObject({ code: 'ERR_STORE', sqlState: '40001' })
        expect(await userOf(sessions, first)).toBe('cid')
      }
      await ends(false)
      expect(await userOf(sessions, first)).toBeNull()
      expect(await userOf(sessions, later)).toBeNull()
    },
  )

  test('after its end, or outside of one, it ends nothing', async () => {
    const visitor = await cookieOf(sessions, 'eve')
    let ended: object = {}
    let by: ReturnType<typeof sessions.in> | undefined
    await client.transaction(async (tx) => {
      ended = tx
      by = sessions.in(tx)
    })
    await expect((async () => sessions.in(ended).destroyByUser('eve'))()).rejects.toThrow()
    await expect(by?.destroyByUser('eve')).rejects.toThrow()
    await expect(by?.destroyById(visitor.id)).rejects.toThrow()
    expect(await userOf(sessions, visitor)).toBe('eve')
  })
})
