import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { clients, type OpenClient } from './clients.ts'
import { type Notebook, openNotebook } from './notebook.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

const OURS = `from pg_stat_activity
  where datname = current_database() and application_name = 'notebook'`

async function kill(condition = 'true'): Promise<number> {
  const killed = `select pg_terminate_backend(pid) ${OURS} and ${condition}`
  return (await database.query(killed)).length
}

async function until(condition: string, count: number): Promise<void> {
  const pids = `select pid ${OURS} and ${condition}`
  await expect.poll(() => database.query(pids), { timeout: 10_000 }).toHaveLength(count)
}

/** Holds back every statement that needs the table in this way, until it is let go. */
async function holdTable(mode: 'access exclusive' | 'exclusive'): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: database.url })
  client.on('error', () => {})
  await client.connect()
  await client.query(`begin; lock table sessions.session in ${mode} mode`)
  return () => client.end()
}

/** Opens as many connections as the client may have: each loan needs one. */
async function openAll({ driver, max }: OpenClient): Promise<void> {
  let opened = 0
  let open = (): void => {}
  const all = new Promise<void>((resolve) => {
    open = resolve
  })
  const loan = async (): Promise<void> => {
    opened += 1
    if (opened === max) open()
    await all
  }
  await Promise.all(Array.from({ length: max }, () => driver.withConnection(connected(loan))))
}

/** Some clients connect only for a statement. */
function connected(
  loan: () => Promise<void>,
): Parameters<OpenClient['driver']['withConnection']>[0] {
  return async (connection) => {
    await connection.run('select 1')
    await loan()
  }
}

describe.each(clients())('with %s', (_, client) => {
  let notebook: Notebook

  beforeAll(async () => {
    await database.query('drop schema if exists sessions cascade')
    notebook = await openNotebook(client, database.url, {
      deadline: 5000,
      client: { applicationName: 'notebook' },
    })
  })
  afterAll(() => notebook[Symbol.asyncDispose]())

  test('connections that died idle cost no request', async () => {
    const visitors = Array.from({ length: 10 }, () => notebook.browser())
    await Promise.all(visitors.map((visitor, n) => visitor.post(`/note/${n}`)))
    await openAll(notebook.client)
    expect(await kill()).toBe(10)
    await until('true', 0)
    const pages = await Promise.all(visitors.map((visitor) => visitor.get('/note')))
    expect(pages.map(({ text }) => text)).toEqual(visitors.map((_, n) => `${n}`))
  })

  test('a load whose connection is killed under it is asked again', async () => {
    const visitor = notebook.browser()
    await visitor.post('/note/milk')
    const release = await holdTable('access exclusive')
    const loading = visitor.get('/note')
    await until(`wait_event_type = 'Lock'`, 1)
    expect(await kill(`wait_event_type = 'Lock'`)).toBe(1)
    await release()
    expect(await loading).toMatchObject({ status: 200, text: 'milk' })
  })

  test('a save whose connection is killed under it fails, and is not repeated', async () => {
    const visitor = notebook.browser()
    await visitor.post('/note/milk')
    const release = await holdTable('exclusive')
    const saving = visitor.post('/note/bread')
    await until(`wait_event_type = 'Lock'`, 1)
    expect(await kill(`wait_event_type = 'Lock'`)).toBe(1)
    expect(await saving).toMatchObject({ status: 503, cookies: [] })
    await release()
    expect(await visitor.get('/note')).toMatchObject({ text: 'milk' })
    expect(await visitor.post('/note/bread')).toMatchObject({ status: 200 })
    expect(await visitor.get('/note')).toMatchObject({ text: 'bread' })
  })

  test('a killed connection repeats a logout, and reports a first save, which may have been ended since', async () => {
    const guest = notebook.browser()
    const visitor = notebook.browser()
    await visitor.post('/sign-in/ann')
    const { token } = visitor
    const release = await holdTable('exclusive')
    const pages = [guest.post('/note/tea'), visitor.post('/destroy')]
    await until(`wait_event_type = 'Lock'`, 2)
    expect(await kill(`wait_event_type = 'Lock'`)).toBe(2)
    await release()
    expect((await Promise.all(pages)).map(({ status }) => status)).toEqual([503, 200])
    expect(guest.token ?? null).toBeNull()
    expect((await guest.post('/note/tea')).status).toBe(200)
    expect(await guest.get('/note')).toMatchObject({ text: 'tea' })
    visitor.token = token
    expect(await visitor.get('/user')).toMatchObject({ text: 'anonymous' })
  })
})
