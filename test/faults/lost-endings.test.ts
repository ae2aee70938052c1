import pg from 'pg'
import { createSessions, PostgresStore, type Sessions } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { type FaultProxy, startFaultProxy } from 'pg-sessions/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

/*
 * The server ends sessions and the answer gets lost. Whoever may have ended is told so all the same, and a
 * count says what is gone.
 */

let database: TestDatabase
let proxy: FaultProxy
let pools: pg.Pool[]
let sessions: Sessions
let elsewhere: PostgresStore

beforeAll(async () => {
  database = await createTestDatabase()
  proxy = await startFaultProxy(database.url)
  pools = [proxy.url, database.url].map((url) => new pg.Pool({ connectionString: url, max: 4 }))
  const [own, other] = pools.map((pool) => fromPg(pool))
  sessions = createSessions({ database: own as NonNullable<typeof own>, log: false })
  await sessions.ready()
  elsewhere = new PostgresStore({ driver: other as NonNullable<typeof other>, migrate: 'off' })
})
afterAll(async () => {
  await sessions.close()
  await elsewhere.close()
  await Promise.all(pools.map((pool) => pool.end()))
  await proxy.close()
  await database.drop()
})

async function signedIn(userId: string): Promise<string> {
  const { session } = sessions.open(null)
  await session.signIn(userId)
  return session.id ?? ''
}

/** Loses the first answer to this statement. */
function losing(statement: string): Promise<void> {
  let isAsked = false
  return proxy.cutBefore(({ from, type, bytes }) => {
    if (from === 'client') isAsked ||= bytes.includes(`pg_sessions_${statement}_`)
    return isAsked && from === 'server' && type === 'C'
  })
}

test('destroyByUser counts and tells of all sessions that are gone, though the answer got lost', async () => {
  const kept = await signedIn('ann')
  const ids = [await signedIn('ann'), await signedIn('ann')]
  const destroyed: string[] = []
  const off = sessions.on('destroyed', ({ sessionId }) => destroyed.push(sessionId))
  const told: (string | null)[] = []
  const feed = await elsewhere.listen((id) => told.push(id))
  const lost = losing('destroy_by_user')
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
    const lost = losing(statement)
    await end(id)
    await lost
    await expect.poll(() => told.includes(id)).toBe(true)
    expect(await sessions.listByUser('bob')).toEqual([])
    await feed?.stop()
  },
)
