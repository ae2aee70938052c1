import express from 'express'
import { createSessions, MemoryStore, PostgresStore, type Sessions } from 'pg-sessions'
import { expressSessions } from 'pg-sessions/express'
import { fromPg } from 'pg-sessions/pg'
import type { SessionStore } from 'pg-sessions/store'
import { signedInAs } from 'pg-sessions/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serve } from '../adapters/listen.ts'
import { findBrowser, startBrowser } from '../demo/browser.ts'
import { openPostgresStore, type PostgresStoreHarness } from '../support/postgres-store.ts'

const HOUR = 3_600_000
let harness: PostgresStoreHarness
beforeAll(async () => {
  harness = await openPostgresStore()
})
afterAll(() => harness.dispose())

interface Data {
  basket?: string[]
}

describe.each<[string, () => SessionStore]>([
  ['MemoryStore', () => new MemoryStore()],
  ['PostgresStore', () => new PostgresStore({ driver: fromPg(harness.pool), migrate: 'off' })],
])('signedInAs on %s', (_, store) => {
  it('gives a cookie that is signed in, with data, as a login gives it', async () => {
    const { sessions, account, close } = await open(store())
    const ann = await signedInAs(sessions, 'ann', { data: { basket: ['apple'] } })
    expect(ann.headers).toEqual({ cookie: ann.cookie })
    expect(await account(ann.headers)).toEqual({ user: 'ann', basket: ['apple'], isRecent: true })
    const bob = await signedInAs(sessions, 'bob')
    expect(await account(bob.headers)).toEqual({ user: 'bob', isRecent: true })
    expect(await sessions.destroyByUser('ann')).toBe(1)
    expect(await account(ann.headers)).toEqual({ user: null, isRecent: false })
    await close()
  })

  it('lets the sign-in be long ago, and the session live on', async () => {
    const { sessions, account, close } = await open(store())
    const authenticatedAt = new Date(Date.now() - 2 * HOUR)
    const { headers } = await signedInAs(sessions, 'ann', { authenticatedAt })
    expect(await account(headers)).toEqual({ user: 'ann', isRecent: false })
    const [device] = await sessions.listByUser('ann')
    const off = (device?.authenticatedAt?.getTime() ?? 0) - authenticatedAt.getTime()
    expect(Math.abs(off)).toBeLessThan(HOUR / 60)
    for (const wrong of [new Date(Date.now() + HOUR), new Date(Number.NaN), '2020' as never]) {
      await expect(signedInAs(sessions, 'ann', { authenticatedAt: wrong })).rejects.toThrow(
        'authenticatedAt must be a date in the past',
      )
    }
    await sessions.destroyByUser('ann')
    await close()
  })
})

it('a store that cannot change the time of a sign-in says so', async () => {
  const store = new MemoryStore()
  Object.defineProperty(store, 'backdateSignIn', { value: undefined })
  const { sessions, close } = await open(store)
  await expect(signedInAs(sessions, 'ann', { authenticatedAt: new Date(0) })).rejects.toMatchObject(
    {
      code: 'ERR_UNSUPPORTED',
    },
  )
  await close()
})

it('gives Playwright a cookie with the attributes of the real one', async () => {
  const sessions = createSessions({
    store: new MemoryStore(),
    cookie: { name: 'sid', path: '/app', domain: 'example.com', sameSite: 'strict' },
    log: false,
  })
  const { playwright } = await signedInAs(sessions, 'ann')
  expect(playwright).toEqual({
    name: 'sid',
    value: expect.stringMatching(/^[\w-]+$/),
    domain: 'example.com',
    path: '/app',
    httpOnly: true,
    secure: true,
    sameSite: 'Strict',
  })
})

it.skipIf(findBrowser() === undefined)('Chromium is signed in with it', async () => {
  const { sessions, origin, close } = await open(new MemoryStore())
  const browser = await startBrowser(findBrowser() as string)
  const context = await browser.newContext()
  const { playwright } = await signedInAs(sessions, 'ann')
  expect(playwright.name).toMatch(/^__Host-/)
  await context.addCookies([playwright])
  const page = await context.newPage()
  await page.goto(origin.replace('127.0.0.1', 'localhost'))
  expect(await page.textContent('body')).toContain('"user":"ann"')
  await browser.close()
  await close()
})

interface Application {
  readonly sessions: Sessions<Data>
  readonly origin: string
  account(headers: { readonly cookie: string }): Promise<unknown>
  close(): Promise<void>
}

async function open(store: SessionStore): Promise<Application> {
  const sessions = createSessions<Data>({ store, log: false })
  const own = expressSessions(sessions)
  const app = express()
  app.get('/', own, async (request, response) => {
    const session = own.of(request)
    await session.load()
    const { authenticatedAt, userId, data } = session
    const isRecent = authenticatedAt !== null && Date.now() - authenticatedAt.getTime() < HOUR
    response.json({ user: userId, ...data, isRecent })
  })
  const { origin, close } = await serve(app)
  return {
    sessions,
    origin,
    account: async (headers) => (await fetch(origin, { headers })).json(),
    close,
  }
}
