import { createSessions, PostgresStore, type Sessions } from 'pg-sessions'
import { type FaultProxy, startFaultProxy } from 'pg-sessions/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { clients, type OpenClient } from './clients.ts'
import { ReplyLoser } from './lost-reply.ts'

/*
 * The server ends sessions and the answer gets lost. Sessions that may have ended are announced all the
 * same, and a count says what is gone.
 */

let database: TestDatabase
let proxy: FaultProxy

beforeAll(async () => {
  database = await createTestDatabase()
  proxy = await startFaultProxy(database.url)
})
afterAll(async () => {
  await proxy.close()
  await database.drop()
})

describe.each(clients())('with %s', (_, client) => {
  let opened: OpenClient[]
  let replies: ReplyLoser
  let sessions: Sessions
  let elsewhere: PostgresStore

  beforeAll(async () => {
    await database.query('drop schema if exists sessions cascade')
    const own = await client.open(proxy.url, { max: 4 })
    const other = await client.open(database.url, { max: 4 })
    opened = [own, other]
    replies = new ReplyLoser(own.driver, proxy)
    sessions = createSessions({ database: replies.driver, log: false })
    await sessions.ready()
    elsewhere = new PostgresStore({ driver: other.driver, migrate: 'off' })
  })
  afterAll(async () => {
    await sessions.close()
    await elsewhere.close()
    for (const client of opened) await client[Symbol.asyncDispose]()
  })

  const another = (id: string): string => id.replace(/^./, 'f')

  async function signedIn(userId: string): Promise<string> {
    const { session } = sessions.open(null)
    await session.signIn(userId, { tags: [`of ${userId}`] })
    return session.id ?? ''
  }

  test.each([
    ['destroyByUser', 'destroy_by_user', 'ann'],
    ['destroyByTag', 'destroy_by_tag', 'of ann'],
  ] as const)(
    '%s counts and tells of all sessions that are gone, though the answer got lost',
    async (method, statement, of) => {
      await sessions.destroyByUser('ann')
      const kept = await signedIn('ann')
      const ids = [await signedIn('ann'), await signedIn('ann')]
      const destroyed: string[] = []
      const off = sessions.on('destroyed', ({ sessionId }) => destroyed.push(sessionId))
      const told: (string | null)[] = []
      const feed = await elsewhere.listen((id) => told.push(id))
      const lost = replies.next(statement)
      expect(await sessions[method](of, { except: kept })).toBe(2)
      await lost
      expect(destroyed.sort()).toEqual(ids.sort())
      await expect.poll(() => ids.every((id) => told.includes(id))).toBe(true)
      expect(await sessions.listByUser('ann')).toMatchObject([{ id: kept }])
      off()
      await feed?.stop()
    },
  )

  test('destroyById announces the session, and says that it ended it, though the answer got lost', async () => {
    const id = await signedIn('bob')
    const destroyed: unknown[] = []
    const off = sessions.on('destroyed', (event) => destroyed.push(event))
    const told: (string | null)[] = []
    const feed = await elsewhere.listen((it) => told.push(it))
    const lost = replies.next('destroy')
    expect(await sessions.destroyById(id)).toBe(true)
    await lost
    expect(destroyed).toEqual([{ sessionId: id, userId: 'bob' }])
    await expect.poll(() => told.includes(id)).toBe(true)
    expect(await sessions.listByUser('bob')).toEqual([])
    off()
    await feed?.stop()
  })

  test.each([
    ['a session that was not there', 'look_up', (id: string) => sessions.destroyById(another(id))],
    ['one of another user', 'destroy', (id: string) => sessions.destroyById(id, { userId: 'eve' })],
  ])('destroyById ends nothing of %s, also if the answer got lost', async (_, statement, end) => {
    const id = await signedIn('cy')
    const lost = replies.next(statement)
    expect(await end(id)).toBe(false)
    await lost
    expect(await sessions.destroyByUser('cy')).toBe(1)
  })

  test('destroyById ends nothing of an expired session, also if the answer got lost', async () => {
    const id = await signedIn('fay')
    await database.query(`update sessions.session set expires_at = now() where user_id = 'fay'`)
    const lost = replies.next('destroy')
    expect(await sessions.destroyById(id)).toBe(false)
    await lost
  })

  test('a sign-out tells of the end though the answer got lost', async () => {
    const exchange = sessions.open(null)
    await exchange.session.signIn('dan')
    const { id } = exchange.session
    const destroyed: unknown[] = []
    const off = sessions.on('destroyed', (event) => destroyed.push(event))
    const lost = replies.next('destroy')
    await exchange.session.signOut()
    await lost
    expect(destroyed).toEqual([{ sessionId: id, userId: 'dan' }])
    off()
  })

  test('destroyAll whose answer got lost lets every watcher look', async () => {
    const id = await signedIn('eve')
    const told: (string | null)[] = []
    const feed = await elsewhere.listen((it) => told.push(it))
    await expect.poll(() => feed?.isReliable).toBe(true)
    told.length = 0
    const lost = replies.next('destroy_page')
    await expect(sessions.destroyAll()).rejects.toMatchObject({ outcome: 'unknown' })
    await lost
    await expect.poll(() => told).toContain(null)
    expect(await sessions.destroyById(id)).toBe(false)
    await feed?.stop()
  })
})
