import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { type FixtureServer, startFixtureServer } from '../support/fixture-server.ts'
import { HttpVisitor } from '../support/fixture-server-visitor.ts'
import { elapse } from '../support/postgres-store.ts'

/** Promise 6: a touch moves no deadline backwards or past the absolute one, and revives nothing. */

const MINUTE = 60_000

let database: TestDatabase
let pool: pg.Pool
let server: FixtureServer
/** The same sessions under settings with a shorter life, as during a deployment. */
let shorter: FixtureServer
beforeAll(async () => {
  database = await createTestDatabase()
  pool = new pg.Pool({ connectionString: database.url })
  server = await startFixtureServer(database.url, { idleTimeout: '1h', absoluteTimeout: '2h' })
  shorter = await startFixtureServer(database.url, {
    idleTimeout: '10m',
    absoluteTimeout: '2h',
    touchInterval: '1ms',
  })
  await server.sessions.ready()
})
afterAll(async () => {
  await Promise.all([server.stop(), shorter.stop()])
  await pool.end()
  await database.drop()
})

interface Times {
  readonly lastAccess: number
  readonly expires: number
  readonly absolute: number
  readonly purge: number
}

/** What is stored of a session, in milliseconds from now. */
async function times(id: string | null): Promise<Times> {
  const { rows } = await pool.query(
    `select extract(epoch from last_access_at - now()) * 1000 as "lastAccess",
      extract(epoch from expires_at - now()) * 1000 as expires,
      extract(epoch from absolute_expires_at - now()) * 1000 as absolute,
      extract(epoch from purge_at - now()) * 1000 as purge
    from sessions.session where id = $1`,
    [id],
  )
  const numbers = Object.entries(rows[0] ?? {}).map(([name, value]) => [name, Number(value)])
  return Object.fromEntries(numbers)
}

async function begin(): Promise<{ ann: HttpVisitor; id: string | null }> {
  const ann = new HttpVisitor([server.url])
  await ann.post('/do/set/a/1')
  return { ann, id: (await ann.session()).id }
}

it('a read moves the deadline to an idle timeout from now', async () => {
  const { ann, id } = await begin()
  await elapse(pool, 50 * MINUTE)
  expect((await times(id)).expires).toBeLessThan(11 * MINUTE)
  await ann.get('/session')
  await expect.poll(async () => (await times(id)).expires).toBeGreaterThan(59 * MINUTE)
})

it('no access moves it past the absolute deadline, nor that one at all', async () => {
  const { ann, id } = await begin()
  for (const request of ['/session', '/do/set/a/2', '/do/increment/n', '/session']) {
    await elapse(pool, 28 * MINUTE)
    const before = await times(id)
    await (request === '/session' ? ann.get(request) : ann.post(request))
    await expect
      .poll(async () => (await times(id)).lastAccess)
      .toBeGreaterThan(before.lastAccess + 27 * MINUTE)
    const after = await times(id)
    expect(after.expires).toBeLessThanOrEqual(after.absolute)
    expect(after.absolute).toBeLessThanOrEqual(before.absolute)
    expect(after.purge).toBeGreaterThanOrEqual(after.expires)
  }
  await elapse(pool, 9 * MINUTE)
  expect((await ann.session()).id).toBeNull()
})

it('an access under settings with a shorter life moves no deadline backwards', async () => {
  const { ann, id } = await begin()
  const deployed = new HttpVisitor([shorter.url], ann.token)
  for (const request of ['/session', '/do/set/a/2', '/do/increment/n', '/do/rotate']) {
    const before = await times(id)
    await elapse(pool, 1000)
    await (request === '/session' ? deployed.get(request) : deployed.post(request))
    await expect
      .poll(async () => (await times(id)).lastAccess)
      .toBeGreaterThan(before.lastAccess - 1000)
    const after = await times(id)
    expect(before.expires - after.expires, request).toBeLessThan(30_000)
    expect(after.expires, request).toBeGreaterThan(59 * MINUTE)
    expect(after.purge).toBeGreaterThanOrEqual(after.expires)
  }
})

it('an access that was noted late revives nothing and shortens nothing', async () => {
  const { ann, id } = await begin()
  await elapse(pool, 30 * MINUTE)
  const late = await ann.session()
  expect(late.id).toBe(id)
  await elapse(pool, 60 * MINUTE)
  const dead = await times(id)
  expect(dead.expires).toBeLessThanOrEqual(0)
  for (const path of ['/session', '/session']) await ann.get(path)
  await ann.post('/do/get/a')
  expect((await times(id)).lastAccess).toBeLessThanOrEqual(dead.lastAccess)
  expect((await ann.session()).id).toBeNull()
})

it('many accesses at once are noted without a single one going wrong', async () => {
  const { ann, id } = await begin()
  await elapse(pool, 50 * MINUTE)
  const answers = await Promise.all(Array.from({ length: 50 }, () => ann.twin().get('/session')))
  expect(answers.map(({ session }) => session.id)).toEqual(answers.map(() => id))
  await expect.poll(async () => (await times(id)).expires).toBeGreaterThan(59 * MINUTE)
})
