import pg from 'pg'
import { createSessions, type Sessions } from 'pg-sessions'
import { type FaultProxy, startFaultProxy } from 'pg-sessions/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { Visitor } from '../support/each-store-visitor.ts'
import { elapse } from '../support/postgres-store.ts'
import { clients, type OpenClient } from './clients.ts'
import { ReplyLoser } from './lost-reply.ts'

/*
 * The server renews a token and the answer gets lost. A request that only reads does not notice, and the
 * client holds a token that works.
 */

let database: TestDatabase
let proxy: FaultProxy
let direct: pg.Pool

beforeAll(async () => {
  database = await createTestDatabase()
  proxy = await startFaultProxy(database.url)
  direct = new pg.Pool({ connectionString: database.url })
})
afterAll(async () => {
  await direct.end()
  await proxy.close()
  await database.drop()
})

describe.each(clients())('with %s', (_, client) => {
  let opened: OpenClient
  let replies: ReplyLoser
  let sessions: Sessions

  beforeAll(async () => {
    opened = await client.open(proxy.url)
    replies = new ReplyLoser(opened.driver, proxy)
    sessions = createSessions({ database: replies.driver, renewInterval: '15m', log: false })
    await sessions.ready()
  })
  afterAll(async () => {
    await sessions.close()
    await opened[Symbol.asyncDispose]()
  })

  async function visitorAtRenewalTime(): Promise<Visitor<Record<string, unknown>>> {
    const visitor = new Visitor(sessions)
    await visitor.visit((session) => session.set('a', 1))
    await elapse(direct, 900_000)
    return visitor
  }

  test('a renewal by itself is repeated, recognised as done, and its token works', async () => {
    const visitor = await visitorAtRenewalTime()
    const old = visitor.twin()
    const lost = replies.next('save_credentials')
    expect(await visitor.visit((session) => session.get('a'))).toBe(1)
    await lost
    expect(visitor.setCookies).toHaveLength(1)
    expect(visitor.token).not.toBe(old.token)
    expect(await visitor.visit((session) => session.get('a'))).toBe(1)
    expect(await old.visit((session) => session.get('a'))).toBe(1)
  })

  test('a renewal with a save is not repeated: the save says so, and the old token works', async () => {
    const visitor = await visitorAtRenewalTime()
    const lost = replies.next('save_credentials')
    await expect(visitor.visit((session) => session.set('a', 2))).rejects.toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
      outcome: 'unknown',
    })
    await lost
    expect(await visitor.visit((session) => session.get('a'))).toBe(2)
    expect(visitor.setCookies, 'a reply may still be on its way').toEqual([])
    await elapse(direct, 10_000)
    await visitor.visit((session) => session.get('a'))
    expect(visitor.setCookies).toHaveLength(1)
  })
})
