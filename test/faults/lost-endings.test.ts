import { createSessions, PostgresStore, type Sessions } from 'pg-sessions'
import { type FaultProxy, startFaultProxy } from 'pg-sessions/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { clients, type OpenClient } from './clients.ts'
import { ReplyLoser } from './lost-reply.ts'

/*
 * The server ends sessions and the answer gets lost. Whoever may have ended is told so all the same, and a
 * count says what is gone.
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

  async function signedIn(userId: string): Promise<string> {
    const { session } = sessions.open(null)
    await session.signIn(userId)
    return session.id ?? ''
  }

  test('destroyByUser counts and tells of all sessions that are gone, though the answer got lost', async () => {
    const kept = await signedIn('ann')
    const ids = [await signedIn('ann'), await signedIn('ann')]
    const destroyed: string[] = []
    const off = sessions.on('destroyed', ({ sessionId }) => destroyed.push(sessionId))
    const told: (string | null)[] = []
    const feed = await elsewhere.listen((id) => told.push(id))
    const lost = replies.next('destroy_by_user')
    expect(await sessions.destroyByUser('ann', { except: kept })).toBe(2)
    await lost
    expect(destroyed.sort()).toEqual(ids.sort())
    await expect.poll(() => ids.every((id) => told.includes(id))).toBe(true)
    expect(await sessions.listByUser('ann')).toMatchObject([{ id: kept }])
    off()
    await feed?.stop()
  })

  test.each([['destroy', (id: string) => sessions.destroyById(id)]])(
    '%s announces the session though the answer got lost',
    async (statement, end) => {
      const id = await signedIn('bob')
      const told: (string | null)[] = []
      const feed = await elsewhere.listen((it) => told.push(it))
      const lost = replies.next(statement)
      await end(id)
      await lost
      await expect.poll(() => told.includes(id)).toBe(true)
      expect(await sessions.listByUser('bob')).toEqual([])
      await feed?.stop()
    },
  )
})
