import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type OwnServer, startOwnServer } from '../support/own-server.ts'
import { clients } from './clients.ts'
import { expectUnavailable } from './failing-closed.ts'
import { type Notebook, openNotebook } from './notebook.ts'

let server: OwnServer

beforeAll(async () => {
  server = await startOwnServer()
})
afterAll(() => server[Symbol.asyncDispose]())

describe.each(clients())('with %s', (_, client) => {
  let notebook: Notebook

  beforeAll(async () => {
    notebook = await openNotebook(client, server.url)
  })
  afterAll(() => notebook[Symbol.asyncDispose]())

  test('a stopped database fails the pages that need it, and needs no restart', async () => {
    const visitor = notebook.browser()
    const guest = notebook.browser()
    expect(await visitor.post('/note/milk')).toMatchObject({ status: 200 })
    const { token } = visitor

    await server.stop()

    expect(await visitor.get('/untouched')).toMatchObject({ status: 200, text: 'untouched' })
    const pages = [
      visitor.get('/note'),
      visitor.post('/note/bread'),
      visitor.post('/rotate'),
      visitor.post('/clear'),
      visitor.post('/destroy'),
      visitor.post('/sign-in/ann'),
      guest.post('/note/tea'),
      guest.post('/sign-in/bob'),
    ]
    for (const page of await Promise.all(pages)) expectUnavailable(page, notebook)
    expect(guest.token).toBeNull()
    expect(visitor.token).toBe(token)
    expect(new Set(notebook.unavailable.map(({ operation }) => operation))).toEqual(
      new Set(['load', 'create']),
    )

    await server.restart()

    expect(await visitor.get('/note')).toMatchObject({ status: 200, text: 'milk' })
    expect(await guest.post('/note/tea')).toMatchObject({ status: 200 })
    expect(await guest.get('/note')).toMatchObject({ text: 'tea' })
  })

  test('an application that starts before its database works once that is there', async () => {
    await server.stop()
    await using early = await openNotebook(client, server.url)
    const visitor = early.browser()
    expectUnavailable(await visitor.post('/note/milk'), early)
    await server.restart()
    expect(await visitor.post('/note/milk')).toMatchObject({ status: 200 })
    expect(await visitor.get('/note')).toMatchObject({ text: 'milk' })
  })
})
