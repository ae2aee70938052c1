import pg from 'pg'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
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

beforeEach(() => pool.query('delete from sessions.session'))

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
      // The access of the request before may be noted after the time has passed.
      .toBeGreaterThan(-MINUTE)
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

it('accesses that are noted after their sessions have expired revive none', async () => {
  // It notes every access, and notes those of one moment together.
  const eager = await startFixtureServer(database.url, { idleTimeout: '1h', touchInterval: '1ms' })
  const visitors = Array.from({ length: 20 }, () => new HttpVisitor([eager.url]))
  await Promise.all(visitors.map((visitor) => visitor.post('/do/set/a/1')))
  const late = visitors.map((visitor) => visitor.post('/slow/dead/get/a'))
  const [ann] = visitors as [HttpVisitor]
  await ann.get('/gates/dead/reached/20')
  await elapse(pool, 60 * MINUTE)
  const dead = async (): Promise<unknown[]> =>
    (await pool.query('select id, expires_at, last_access_at from sessions.session order by id'))
      .rows
  const before = await dead()
  await ann.openGate('dead', 20)
  expect((await Promise.all(late)).map(({ result }) => result)).toEqual(visitors.map(() => '1'))
  await eager.stop() // which waits for accesses that are being noted
  expect(await dead()).toEqual(before)
  const { rows } = await pool.query('select from sessions.session where expires_at > now()')
  expect(rows).toEqual([])
})

it('many accesses at once are noted without a single one going wrong', async () => {
  const { ann, id } = await begin()
  await elapse(pool, 50 * MINUTE)
  const answers = await Promise.all(Array.from({ length: 50 }, () => ann.twin().get('/session')))
  expect(answers.map(({ session }) => session.id)).toEqual(answers.map(() => id))
  await expect.poll(async () => (await times(id)).expires).toBeGreaterThan(59 * MINUTE)
})
