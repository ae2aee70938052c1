import { type FaultProxy, startFaultProxy } from 'pg-sessions/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { clients } from './clients.ts'
import { expectUnavailable } from './failing-closed.ts'
import { ReplyLoser } from './lost-reply.ts'
import { type Browser, type Notebook, openNotebook, type Page } from './notebook.ts'

/*
 * The server does its work and the answer gets lost. A page may then fail although the change was made,
 * but never succeed without it, and never hand out a token that was not stored.
 */

let database: TestDatabase
let proxy: FaultProxy

beforeAll(async () => {
  database = await createTestDatabase()
  proxy = await startFaultProxy(database.url)
})
afterAll(async () => {
  await proxy.close()
  await database.drop()
})

async function countSessions(): Promise<number> {
  const [row] = await database.query('select count(*)::int as count from sessions.session')
  return Number(row?.count)
}

describe.each(clients(['pg', 'postgres.js']))('with %s', (_, client) => {
  let notebook: Notebook
  let replies: ReplyLoser

  beforeAll(async () => {
    notebook = await openNotebook(client, proxy.url, {
      deadline: 5000,
      wrap: (driver) => {
        replies = new ReplyLoser(driver, proxy)
        return replies.driver
      },
    })
  })
  afterAll(() => notebook[Symbol.asyncDispose]())

  /** Asks for a page, and loses the first answer to this statement. */
  async function losing(operation: string, page: () => Promise<Page>): Promise<Page> {
    const lost = replies.next(operation)
    const answer = await page()
    await lost
    return answer
  }

  async function visitorWith(note: string): Promise<Browser> {
    const visitor = notebook.browser()
    await visitor.post(`/note/${note}`)
    return visitor
  }

  /** The visitor as a thief of the cookie sees it. */
  function twin(visitor: Browser): Browser {
    const browser = notebook.browser()
    browser.token = visitor.token
    return browser
  }

  test('a load is asked again', async () => {
    const visitor = await visitorWith('milk')
    const page = await losing('load', () => visitor.get('/note'))
    expect(page).toMatchObject({ status: 200, text: 'milk' })
  })

  test('a first save is repeated, recognised as done, and its cookie opens one session', async () => {
    const guest = notebook.browser()
    const before = await countSessions()
    const page = await losing('create', () => guest.post('/note/tea'))
    expect(page).toMatchObject({ status: 200 })
    expect(page.cookies).toHaveLength(1)
    expect(await guest.get('/note')).toMatchObject({ text: 'tea' })
    expect(await countSessions()).toBe(before + 1)
  })

  test('a save says that it may not have happened, and can be tried again', async () => {
    const visitor = await visitorWith('milk')
    expectUnavailable(await losing('save', () => visitor.post('/note/bread')), notebook)
    expect(notebook.unavailable.at(-1)).toMatchObject({
      operation: 'save',
      error: { outcome: 'unknown' },
    })
    expect(await visitor.get('/note')).toMatchObject({ text: 'bread' })
    expect(await visitor.post('/note/butter')).toMatchObject({ status: 200 })
    expect(await visitor.get('/note')).toMatchObject({ text: 'butter' })
  })

  test('a rotation whose answer got lost hands out no token, and the old one is dead', async () => {
    const visitor = await visitorWith('milk')
    const old = twin(visitor)
    expectUnavailable(await losing('save_credentials', () => visitor.post('/rotate')), notebook)
    expect(await old.get('/note')).toMatchObject({ status: 200, text: 'none' })
  })

  test('a sign-in whose answer got lost signs no user in', async () => {
    const visitor = await visitorWith('milk')
    const old = twin(visitor)
    const page = await losing('save_credentials', () => visitor.post('/sign-in/ann'))
    expectUnavailable(page, notebook)
    expect(await visitor.get('/user')).toMatchObject({ text: 'anonymous' })
    expect(await old.get('/user')).toMatchObject({ text: 'anonymous' })
  })

  test('clearing whose answer got lost keeps nothing, and hands out no token', async () => {
    const visitor = await visitorWith('milk')
    const before = await countSessions()
    expectUnavailable(await losing('replace', () => visitor.post('/clear')), notebook)
    expect(await twin(visitor).get('/note')).toMatchObject({ text: 'none' })
    expect(await countSessions()).toBe(before)
  })

  test('a logout is repeated until it is certain', async () => {
    const visitor = await visitorWith('milk')
    const thief = twin(visitor)
    const page = await losing('destroy', () => visitor.post('/destroy'))
    expect(page).toMatchObject({ status: 200 })
    expect(visitor.token).toBeNull()
    expect(await thief.get('/note')).toMatchObject({ text: 'none' })
  })
})
