import pg from 'pg'
import { createSessions, type Sessions } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { type FaultProxy, startFaultProxy } from 'pg-sessions/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { Visitor } from '../support/each-store-visitor.ts'
import { elapse } from '../support/postgres-store.ts'

/*
 * The server renews a token and the answer gets lost. Whoever only reads is not to notice, and the client
 * is to hold a token that works.
 */

let database: TestDatabase
let proxy: FaultProxy
let pool: pg.Pool
let direct: pg.Pool
let sessions: Sessions

beforeAll(async () => {
  database = await createTestDatabase()
  proxy = await startFaultProxy(database.url)
  pool = new pg.Pool({ connectionString: proxy.url })
  pool.on('error', () => undefined)
  direct = new pg.Pool({ connectionString: database.url })
  sessions = createSessions({ database: fromPg(pool), renewInterval: '15m', log: false })
  await sessions.ready()
})
afterAll(async () => {
  await sessions.close()
  await Promise.all([pool.end(), direct.end()])
  await proxy.close()
  await database.drop()
})

async function visitorAtRenewalTime(): Promise<Visitor<Record<string, unknown>>> {
  const visitor = new Visitor(sessions)
  await visitor.visit((session) => session.set('a', 1))
  await elapse(direct, 900_000)
  return visitor
}

/** Loses the first answer to a statement that replaces a token. */
function loseRenewal(): Promise<unknown> {
  let isAsked = false
  return proxy.cutBefore(({ from, type, bytes }) => {
    if (from === 'client') isAsked ||= bytes.includes('pg_sessions_save_credentials_')
    return isAsked && from === 'server' && type === 'C'
  })
}

test('a renewal by itself is repeated, recognised as done, and its token works', async () => {
  const visitor = await visitorAtRenewalTime()
  const old = visitor.twin()
  const lost = loseRenewal()
  expect(await visitor.visit((session) => session.get('a'))).toBe(1)
  await lost
  expect(visitor.setCookies).toHaveLength(1)
  expect(visitor.token).not.toBe(old.token)
  expect(await visitor.visit((session) => session.get('a'))).toBe(1)
  expect(await old.visit((session) => session.get('a'))).toBe(1)
})

test('a renewal with a save is not repeated: the save says so, and the old token works', async () => {
  const visitor = await visitorAtRenewalTime()
  const lost = loseRenewal()
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
