import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { clients, everyClient } from './clients.ts'
import { expectUnavailable } from './failing-closed.ts'
import { type Browser, type Notebook, openNotebook } from './notebook.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

/** Another client's transaction that holds one session's row. */
class Holder implements AsyncDisposable {
  readonly #client = new pg.Client({ connectionString: database.url })
  readonly #id: string

  constructor(id: string) {
    this.#id = id
  }

  async lock(): Promise<void> {
    await this.#client.connect()
    await this.#client.query('begin')
    await this.#client.query('select from sessions.session where id = $1 for update', [this.#id])
  }

  async destroy(): Promise<void> {
    await this.#client.query('delete from sessions.session where id = $1', [this.#id])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.query('commit')
    await this.#client.end()
  }
}

async function hold(visitor: Browser): Promise<Holder> {
  const holder = new Holder(idOf(visitor))
  await holder.lock()
  return holder
}

function idOf({ token }: Browser): string {
  return Buffer.from((token ?? '').slice(0, 22), 'base64url')
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

function rows(visitor: Browser): Promise<Record<string, unknown>[]> {
  return database.query(
    `select s.*, d.key, d.value from sessions.session as s
       left join sessions.session_data as d on d.session_id = s.id
     where s.id = '${idOf(visitor)}' order by d.key`,
  )
}

/** Until nothing of the application is under way on the server any more, not even given-up work. */
async function untilIdle(): Promise<void> {
  const busy = `select pid from pg_stat_activity
    where application_name = 'notebook' and datname = current_database() and state <> 'idle'`
  await expect.poll(() => database.query(busy), { timeout: 10_000 }).toEqual([])
}

function countSessions(): Promise<Record<string, unknown>[]> {
  return database.query('select count(*)::int as count from sessions.session')
}

describe.each(clients(['pg'], everyClient))('with %s', (name, client) => {
  /** A single connection that waits for a lock serves no other request. */
  const severalTest = test.skipIf(name === 'one client of pg')
  let notebook: Notebook

  beforeAll(async () => {
    await database.query('drop schema if exists sessions cascade')
    notebook = await openNotebook(client, database.url, { client: { applicationName: 'notebook' } })
  })
  afterAll(() => notebook[Symbol.asyncDispose]())

  test('a locked session can be read, and costs its writers their deadline', async () => {
    const visitor = notebook.browser()
    await visitor.post('/note/milk')
    await using _ = await hold(visitor)
    expect(await visitor.get('/note')).toMatchObject({ status: 200, text: 'milk' })
    const paths = ['/note/bread', '/rotate', '/clear', '/destroy', '/sign-in/ann']
    const pages = paths.map((path) => visitor.post(path))
    for (const page of await Promise.all(pages)) expectUnavailable(page, notebook)
  })

  severalTest('a lock on one session delays no other, however many wait for it', async () => {
    const held = notebook.browser()
    const others = Array.from({ length: 20 }, () => notebook.browser())
    await Promise.all([held, ...others].map((visitor) => visitor.post('/note/milk')))
    await using _ = await hold(held)
    const stuck = Array.from({ length: 5 }, () => held.post('/note/bread'))
    const pages = await Promise.all(others.map((visitor) => visitor.post('/note/bread')))
    expect(pages.every(({ status }) => status === 200)).toBe(true)
    for (const page of await Promise.all(stuck)) expectUnavailable(page, notebook)
  })

  severalTest('a save that was given up lands late as a whole, or not at all', async () => {
    const visitor = notebook.browser()
    await visitor.post('/note/milk')
    {
      await using _ = await hold(visitor)
      expectUnavailable(await visitor.post('/note/bread'), notebook)
      expect(await visitor.get('/note')).toMatchObject({ text: 'milk' })
    }
    await untilIdle()
    expect((await visitor.get('/note')).text).toMatch(/^(milk|bread)$/)
    expect(await visitor.post('/note/tea')).toMatchObject({ status: 200 })
    expect(await visitor.get('/note')).toMatchObject({ text: 'tea' })
  })

  test('nothing that was given up brings back a session that ended meanwhile', async () => {
    const visitor = notebook.browser()
    await visitor.post('/note/milk')
    const [{ count } = { count: 0 }] = await countSessions()
    {
      await using holder = await hold(visitor)
      const paths = ['/note/bread', '/rotate', '/clear', '/sign-in/ann']
      const pages = paths.map((path) => visitor.post(path))
      for (const page of await Promise.all(pages)) expectUnavailable(page, notebook)
      await holder.destroy()
    }
    await untilIdle()
    expect(await rows(visitor)).toEqual([])
    expect(await countSessions()).toEqual([{ count: Number(count) - 1 }])
    expect(await visitor.get('/note')).toMatchObject({ status: 200, text: 'none' })
  })

  test('the deadline of the server itself is obeyed like ours: nothing is written', async () => {
    await using strict = await openNotebook(client, database.url, {
      deadline: 5000,
      client: { lockTimeout: 50 },
    })
    const visitor = strict.browser()
    await visitor.post('/note/milk')
    {
      await using _ = await hold(visitor)
      expect(await visitor.post('/note/bread')).toMatchObject({ status: 503, cookies: [] })
      expect(strict.unavailable.map(({ error }) => error)).toMatchObject([
        { sqlState: '55P03', outcome: 'none' },
      ])
    }
    expect(await visitor.get('/note')).toMatchObject({ text: 'milk' })
  })
})
