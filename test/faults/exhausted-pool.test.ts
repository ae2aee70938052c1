import type pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { expectUnavailable } from './failing-closed.ts'
import { type Notebook, openNotebook } from './notebook.ts'

let database: TestDatabase
let notebook: Notebook

beforeAll(async () => {
  database = await createTestDatabase()
  notebook = await openNotebook(database.url, { pool: { max: 3 } })
})
afterAll(async () => {
  await notebook[Symbol.asyncDispose]()
  await database.drop()
})

test('a pool that the application has emptied costs each page its deadline, and nothing is sent late', async () => {
  const visitors = Array.from({ length: 20 }, () => notebook.browser())
  await Promise.all(visitors.map((visitor, n) => visitor.post(`/note/${n}`)))
  const lent: pg.PoolClient[] = []
  for (let n = 0; n < 3; n += 1) lent.push(await notebook.pool.connect())

  const pages = await Promise.all([
    ...visitors.map((visitor) => visitor.get('/note')),
    ...visitors.map((visitor) => visitor.post('/note/lost')),
    ...visitors.map((visitor) => visitor.post('/destroy')),
    notebook.browser().post('/note/new'),
  ])
  for (const page of pages) expectUnavailable(page, notebook)
  const [before] = await sessions()

  for (const client of lent) client.release()
  const notes = await Promise.all(visitors.map((visitor) => visitor.get('/note')))
  expect(notes.map(({ text }) => text)).toEqual(visitors.map((_, n) => `${n}`))
  expect(await sessions()).toEqual([before])
  expect(notebook.pool.waitingCount).toBe(0)
  expect(notebook.pool.totalCount).toBeLessThanOrEqual(3)
})

test('one connection is enough for many at once', async () => {
  await using narrow = await openNotebook(database.url, { deadline: 10_000, pool: { max: 1 } })
  const visitors = Array.from({ length: 40 }, () => narrow.browser())
  await Promise.all(visitors.map((visitor, n) => visitor.post(`/note/${n}`)))
  const notes = await Promise.all(visitors.map((visitor) => visitor.get('/note')))
  expect(notes.map(({ text }) => text)).toEqual(visitors.map((_, n) => `${n}`))
})

function sessions(): Promise<Record<string, unknown>[]> {
  return database.query('select count(*)::int as count from sessions.session')
}
