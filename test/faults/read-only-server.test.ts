import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { clients } from './clients.ts'
import { expectUnavailable } from './failing-closed.ts'
import { type Browser, type Notebook, openNotebook } from './notebook.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
})
afterEach(() => setReadOnly(false))
afterAll(() => database.drop())

/** As a standby, or a primary that was demoted. Connections that are open are cut. */
async function setReadOnly(isReadOnly: boolean): Promise<void> {
  const [{ name } = {}] = await database.query('select current_database() as name')
  await database.query(
    `begin;
     set transaction read write;
     alter database ${String(name)} set default_transaction_read_only = ${isReadOnly};
     commit;
     select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid()`,
  )
}

/** A connection that has just been cut may cost a first save. */
async function visitorWithMilk(notebook: Notebook): Promise<Browser> {
  const visitor = notebook.browser()
  await expect.poll(async () => (await visitor.post('/note/milk')).status).toBe(200)
  return visitor
}

describe.each(clients())('with %s', (_, client) => {
  let notebook: Notebook

  beforeAll(async () => {
    notebook = await openNotebook(client, database.url)
  })
  afterAll(() => notebook[Symbol.asyncDispose]())

  test('a read-only database serves reads and refuses writes, until it takes them again', async () => {
    const visitor = await visitorWithMilk(notebook)
    await setReadOnly(true)

    expect(await visitor.get('/note')).toMatchObject({ status: 200, text: 'milk' })
    const paths = ['/note/bread', '/rotate', '/clear', '/destroy', '/sign-in/ann']
    for (const path of paths) expectUnavailable(await visitor.post(path), notebook)
    expectUnavailable(await notebook.browser().post('/note/tea'), notebook)
    expect(await visitor.get('/note')).toMatchObject({ status: 200, text: 'milk' })
    for (const { error } of notebook.unavailable) {
      expect(error).toMatchObject({ sqlState: '25006', outcome: 'none' })
    }

    await setReadOnly(false)
    await expect.poll(async () => (await visitor.post('/note/bread')).status).toBe(200)
    expect(await visitor.get('/note')).toMatchObject({ text: 'bread' })
  })

  test('an access that is due and cannot be noted disturbs no reader', async () => {
    const visitor = await visitorWithMilk(notebook)
    await database.query(`update sessions.session set last_access_at = now() - interval '10 min'`)
    await setReadOnly(true)
    const before = notebook.unavailable.length
    expect(await visitor.get('/note')).toMatchObject({ status: 200, text: 'milk' })
    await expect.poll(() => notebook.unavailable.length).toBeGreaterThan(before)
    expect(notebook.unavailable.at(-1)).toMatchObject({ operation: 'touch' })
  })

  test('an application that starts on a read-only database finds its tables and serves reads', async () => {
    const visitor = await visitorWithMilk(notebook)
    await setReadOnly(true)
    await using restarted = await openNotebook(client, database.url)
    const same = restarted.browser()
    same.token = visitor.token
    expect(await same.get('/note')).toMatchObject({ status: 200, text: 'milk' })
  })
})
