import { type FaultProxy, startFaultProxy } from 'pg-sessions/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { clients } from './clients.ts'
import { expectUnavailable } from './failing-closed.ts'
import { type Browser, type Notebook, openNotebook, type Page } from './notebook.ts'

const one = { name: 'one', text: 'select 1::text as one', values: [] }

let database: TestDatabase
let proxy: FaultProxy

beforeAll(async () => {
  database = await createTestDatabase()
  proxy = await startFaultProxy(database.url)
})
beforeEach(() => proxy.pass())
afterAll(async () => {
  await proxy.close()
  await database.drop()
})

/** Visitors with a note each, so that the application's connections are warm. */
async function welcome(notebook: Notebook, count: number): Promise<Browser[]> {
  const visitors = Array.from({ length: count }, () => notebook.browser())
  const pages = await Promise.all(visitors.map((visitor, n) => visitor.post(`/note/${n}`)))
  expect(pages.every(({ status }) => status === 200)).toBe(true)
  return visitors
}

/** Everything a page can ask of its session, from everybody at once. */
function askEverything(notebook: Notebook, visitors: readonly Browser[]): Promise<Page[]> {
  return Promise.all([
    ...visitors.map((visitor) => visitor.get('/note')),
    ...visitors.map((visitor) => visitor.post('/note/lost')),
    ...visitors.map((visitor) => visitor.post('/destroy')),
    ...visitors.map(() => notebook.browser().post('/note/new')),
    ...visitors.map(() => notebook.browser().post('/sign-in/ann')),
  ])
}

describe.each(clients())('with %s', (_, client) => {
  test('a network that swallows everything costs each page its deadline, and no more', async () => {
    await using notebook = await openNotebook(client, proxy.url)
    const visitors = await welcome(notebook, 30)

    await proxy.blackHole()
    const untouched = notebook.browser().get('/untouched')
    const pages = await askEverything(notebook, visitors)
    for (const page of pages) expectUnavailable(page, notebook)
    expect(await untouched).toMatchObject({ status: 200 })

    await proxy.pass()
    const after = await Promise.all(visitors.map((visitor) => visitor.get('/note')))
    expect(after.map(({ text }) => text)).toEqual(visitors.map((_, n) => `${n}`))
    const { pool } = notebook.client
    if (pool === undefined) return
    expect(pool.totalCount).toBeLessThanOrEqual(10)
    expect(pool.waitingCount).toBe(0)
  })

  test('connections that stay dead are given up, and new ones take their place', async () => {
    await using notebook = await openNotebook(client, proxy.url, {
      // Without it, pg waits for ever for an answer to its greeting.
      client: { max: 4, connectTimeout: 1000 },
    })
    const visitors = await welcome(notebook, 30)

    await proxy.blackHole()
    for (const page of await askEverything(notebook, visitors)) expectUnavailable(page, notebook)
    proxy.passNew()

    const failures: Page[] = []
    for (const [n, visitor] of visitors.entries()) {
      const page = await visitor.get('/note')
      if (page.status === 200) expect(page.text).toBe(`${n}`)
      else failures.push(page)
    }
    // Each connection that was idle all the time may cost a page before it is known to be dead.
    expect(failures.length).toBeLessThanOrEqual(4)
    const pages = await Promise.all(visitors.map((visitor) => visitor.post('/note/found')))
    expect(pages.every(({ status }) => status === 200)).toBe(true)
    proxy.cut()
  })

  test('the first call of all ends in time too, before it is known whether the tables exist', async () => {
    await proxy.blackHole()
    await using notebook = await openNotebook(client, proxy.url)
    const visitor = notebook.browser()
    expectUnavailable(await visitor.post('/note/milk'), notebook)
    await proxy.pass()
    await expect.poll(async () => (await visitor.post('/note/milk')).status).toBe(200)
    expect(await visitor.get('/note')).toMatchObject({ text: 'milk' })
  })

  test('a first call that got lost for good does not keep the next ones waiting for it', async () => {
    await using notebook = await openNotebook(client, proxy.url)
    await notebook.client.driver.query(one, { timeout: 20_000 })
    await proxy.blackHole()
    const visitor = notebook.browser()
    expectUnavailable(await visitor.post('/note/milk'), notebook)
    proxy.passNew()
    await expect
      .poll(async () => (await visitor.post('/note/milk')).status, { timeout: 10_000 })
      .toBe(200)
    proxy.cut()
  })

  test('a migration that takes long keeps no call waiting beyond its deadline', async () => {
    const empty = await createTestDatabase()
    onTestFinished(() => empty.drop())
    await using own = await startFaultProxy(empty.url)
    own.onMessage(({ from, bytes }) => {
      if (from === 'client' && bytes.includes('pg_advisory_xact_lock')) void own.blackHole()
    })
    await using notebook = await openNotebook(client, own.url)
    const visitor = notebook.browser()
    expectUnavailable(await visitor.post('/note/milk'), notebook)
    await own.pass()
    const retry = async () => (await visitor.post('/note/milk')).status
    await expect.poll(retry, { timeout: 10_000 }).toBe(200)
  })

  test('a slow network delays, and breaks nothing', async () => {
    await using notebook = await openNotebook(client, proxy.url, { deadline: 5000 })
    await proxy.delay(30)
    const visitors = await welcome(notebook, 10)
    const pages = await Promise.all(visitors.map((visitor) => visitor.get('/note')))
    expect(pages.map(({ text }) => text)).toEqual(visitors.map((_, n) => `${n}`))
  })
})
