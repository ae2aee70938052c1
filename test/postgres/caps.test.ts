import pg from 'pg'
import { PostgresStore, StoreUnavailableError } from 'pg-sessions'
import type { Connection, Driver } from 'pg-sessions/driver'
import { fromPg } from 'pg-sessions/pg'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import {
  begin,
  changeOf,
  rotation,
  sample,
  statusOf,
} from '../../src/testing/store-contract/samples.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

/** The transaction of a sign-in that has a cap, when something goes wrong within it. */

let database: TestDatabase
let pool: pg.Pool
let store: PostgresStore

beforeAll(async () => {
  database = await createTestDatabase()
  pool = new pg.Pool({ connectionString: database.url })
  store = new PostgresStore({ driver: fromPg(pool) })
  await store.ready()
})
beforeEach(() => pool.query('delete from sessions.session'))
afterAll(async () => {
  await store.close()
  await pool.end()
  await database.drop()
})

const cap = { count: 1, beyond: 'end-oldest' } as const

/** A store whose lent connections do something else at one point, once. */
function storeThat(
  meddle: (connection: Connection, step: string, go: () => Promise<unknown>) => Promise<unknown>,
): PostgresStore {
  const driver = fromPg(pool)
  const wrapped: Driver = {
    ...driver,
    withConnection: (use, options) =>
      driver.withConnection(
        (connection) =>
          use({
            query: (statement, bounds) =>
              meddle(connection, statement.name, () =>
                connection.query(statement, bounds),
              ) as ReturnType<Connection['query']>,
            run: (sql) =>
              meddle(connection, sql, () => connection.run(sql)) as ReturnType<Connection['run']>,
          }),
        options,
      ),
  }
  return new PostgresStore({ driver: wrapped, migrate: 'off', deadline: '2s' })
}

const lost = (): Error => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })

/** Fails once, after or instead of a step. */
function failing(
  at: string,
  when: 'before' | 'after',
  error: () => Error,
  times = 1,
): PostgresStore {
  let left = times
  return storeThat(async (_, step, go) => {
    const isMeant = (step === at || (at !== 'commit' && step.includes(at))) && left-- > 0
    if (isMeant && when === 'before') throw error()
    const answer = await go()
    if (isMeant) throw error()
    return answer
  })
}

test('a new session whose commit was not answered is found, and the oldest has ended', async () => {
  const old = await begin(store, { userId: 'ann' })
  const session = sample({ userId: 'ann', cap })
  const result = await failing('commit', 'after', lost).create(session)
  expect(result).toMatchObject({ status: 'created', evicted: [old.id] })
  expect(await statusOf(store, session)).toBe('live')
  expect(await statusOf(store, old)).toBe('unknown')
})

test('a sign-in whose commit was not answered tells of the sessions that it may have ended', async () => {
  const oldest = await begin(store, { userId: 'ann' })
  const visitor = await begin(store)
  const told: (string | null)[] = []
  const feed = await store.listen((id) => told.push(id))
  await expect.poll(() => feed?.isReliable).toBe(true)
  const credentials = { ...rotation(visitor.secretHash), signIn: { userId: 'ann', cap } }
  const losing = failing('commit', 'after', lost)
  await expect(losing.save(changeOf(visitor, { credentials }))).rejects.toMatchObject({
    outcome: 'unknown',
  })
  await expect.poll(() => told).toContain(oldest.id)
  expect(await statusOf(store, oldest)).toBe('unknown')
  await feed?.stop()
  await losing.close()
})

test('a commit that never arrived is in doubt, and nothing has happened', async () => {
  const [old, visitor] = [await begin(store, { userId: 'ann' }), await begin(store)]
  const credentials = { ...rotation(visitor.secretHash), signIn: { userId: 'ann', cap } }
  const saving = failing('commit', 'before', lost).save(changeOf(visitor, { credentials }))
  await expect(saving).rejects.toMatchObject({ outcome: 'unknown' })
  expect(await statusOf(store, old)).toBe('live')
  expect(await statusOf(store, visitor)).toBe('live')
})

test.each(['begin', 'evict_oldest', 'create_detailed'])(
  'a connection that is lost at %s before the commit has had no effect, so all is done again',
  async (step) => {
    const old = await begin(store, { userId: 'ann' })
    const session = sample({ userId: 'ann', cap })
    const result = await failing(step, 'after', lost).create(session)
    expect(result).toMatchObject({ status: 'created', evicted: [old.id] })
    expect(await store.listByUser('ann')).toMatchObject([{ id: session.id }])
  },
)

test('a database that stays away is said to have written nothing', async () => {
  const old = await begin(store, { userId: 'ann' })
  const session = sample({ userId: 'ann', cap })
  const error = await failing('evict_oldest', 'after', lost, 9)
    .create(session)
    .catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(StoreUnavailableError)
  expect(error).toMatchObject({ outcome: 'none' })
  expect(await statusOf(store, old)).toBe('live')
  expect(await statusOf(store, session)).toBe('unknown')
})

test('a sign-in that waits for a locked session ends by its deadline, and leaves no lock', async () => {
  const old = await begin(store, { userId: 'ann' })
  const holder = await pool.connect()
  await holder.query('begin')
  await holder.query('select from sessions.session where id = $1 for update', [old.id])
  const patient = new PostgresStore({ driver: fromPg(pool), migrate: 'off', deadline: '400ms' })
  const signIn = patient.create(sample({ userId: 'ann', cap }))
  await expect(signIn).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', outcome: 'none' })
  await holder.query('rollback')
  holder.release()
  await store.create(sample({ userId: 'ann', cap }))
  expect(await store.listByUser('ann')).toHaveLength(1)
})

test('another user waits for nothing', async () => {
  let free = (): void => {}
  const held = new Promise<void>((resolve) => {
    free = resolve
  })
  let isThere = (): void => {}
  const there = new Promise<void>((resolve) => {
    isThere = resolve
  })
  const slow = storeThat(async (_, step, go) => {
    if (step === 'commit') {
      isThere()
      await held
    }
    return go()
  })
  const first = slow.create(sample({ userId: 'ann', cap }))
  await there
  expect((await store.create(sample({ userId: 'bob', cap }))).status).toBe('created')
  const second = store.create(sample({ userId: 'ann', cap }))
  free()
  await first
  expect(await second).toMatchObject({ status: 'created' })
  expect(await store.listByUser('ann')).toHaveLength(1)
})
