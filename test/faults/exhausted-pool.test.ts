import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { clients, everyClient, type OpenClient } from './clients.ts'
import { expectUnavailable } from './failing-closed.ts'
import { type Notebook, openNotebook } from './notebook.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

function sessions(): Promise<Record<string, unknown>[]> {
  return database.query('select count(*)::int as count from sessions.session')
}

/** Borrows every connection that the client may have, and resolves to what gives them back. */
async function takeAll({ driver, max }: OpenClient): Promise<() => Promise<void>> {
  let giveBack = (): void => {}
  const over = new Promise<void>((resolve) => {
    giveBack = resolve
  })
  const loans: Promise<void>[] = []
  for (let count = 0; count < max; count += 1) {
    await new Promise<void>((begun) => {
      loans.push(
        driver.withConnection(async () => {
          begun()
          await over
        }),
      )
    })
  }
  return async () => {
    giveBack()
    await Promise.all(loans)
  }
}

describe.each(clients(['pg', 'postgres.js'], everyClient))('with %s', (_, client) => {
  let notebook: Notebook

  beforeAll(async () => {
    await database.query('drop schema if exists sessions cascade')
    notebook = await openNotebook(client, database.url, { client: { max: 3 } })
  })
  afterAll(() => notebook[Symbol.asyncDispose]())

  test('a client without a free connection costs each page its deadline, and nothing is sent late', async () => {
    const visitors = Array.from({ length: 20 }, () => notebook.browser())
    await Promise.all(visitors.map((visitor, n) => visitor.post(`/note/${n}`)))
    const giveBack = await takeAll(notebook.client)

    const pages = await Promise.all([
      ...visitors.map((visitor) => visitor.get('/note')),
      ...visitors.map((visitor) => visitor.post('/note/lost')),
      ...visitors.map((visitor) => visitor.post('/destroy')),
      notebook.browser().post('/note/new'),
    ])
    for (const page of pages) expectUnavailable(page, notebook)
    const [before] = await sessions()

    await giveBack()
    const notes = await Promise.all(visitors.map((visitor) => visitor.get('/note')))
    expect(notes.map(({ text }) => text)).toEqual(visitors.map((_, n) => `${n}`))
    expect(await sessions()).toEqual([before])
    const { pool } = notebook.client
    if (pool === undefined) return
    expect(pool.waitingCount).toBe(0)
    expect(pool.totalCount).toBeLessThanOrEqual(3)
  })

  test('one connection is enough for many at once', async () => {
    await using narrow = await openNotebook(client, database.url, {
      deadline: 10_000,
      client: { max: 1 },
    })
    const visitors = Array.from({ length: 40 }, () => narrow.browser())
    await Promise.all(visitors.map((visitor, n) => visitor.post(`/note/${n}`)))
    const notes = await Promise.all(visitors.map((visitor) => visitor.get('/note')))
    expect(notes.map(({ text }) => text)).toEqual(visitors.map((_, n) => `${n}`))
  })
})
