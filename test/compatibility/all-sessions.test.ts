import pg from 'pg'
import { MemoryStore } from 'pg-sessions'
import { PgSessionStore } from 'pg-sessions/express-session'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

let database: TestDatabase
let pool: pg.Pool
let store: PgSessionStore

beforeAll(async () => {
  database = await createTestDatabase()
  pool = new pg.Pool({ connectionString: database.url })
  store = new PgSessionStore({ pool, log: false })
})
afterAll(async () => {
  await store.close()
  await pool.end()
  await database.drop()
})

it('all, length and clear speak of all live sessions, page by page, and of no expired one', async () => {
  expect(await asked((done) => store.all(done))).toEqual([])
  const numbers = Array.from({ length: 450 }, (_, number) => number)
  const save = (sid: string, session: object): Promise<unknown> =>
    asked((done) => store.set(sid, session, done))
  await Promise.all(numbers.map((number) => save(`sid ${number}`, { number })))
  await save('expired', { cookie: { expires: new Date(Date.now() + 1) } })
  await expect.poll(() => asked((done) => store.length(done))).toBe(450)
  const all = await asked<{ number: number }[]>((done) => store.all(done))
  expect(all.map(({ number }) => number).sort((a, b) => a - b)).toEqual(numbers)
  await asked((done) => store.clear(done))
  expect(await asked((done) => store.length(done))).toBe(0)
  expect(await asked((done) => store.all(done))).toEqual([])
})

it('a store without a way to all sessions says what to do', async () => {
  const other = new PgSessionStore({ store: new MemoryStore(), log: false })
  await expect(asked((done) => other.all(done))).rejects.toThrow(
    'pass pool or database instead of store',
  )
  await expect(asked((done) => other.clear(done))).rejects.toThrow(
    'pass pool or database instead of store',
  )
  await other.close()
})

function asked<Answer>(
  call: (done: (error: unknown, answer?: Answer) => void) => void,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    call((error, answer) => (error ? reject(error) : resolve(answer as Answer)))
  })
}
