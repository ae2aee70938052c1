import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import { createSessions, type Sessions } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { Browser } from './browser.ts'
import { type IdentityProvider, openIdentityProvider } from './identity-provider.ts'
import { relyingParty } from './relying-party.ts'

/** A real OpenID provider ends the sessions of an application by its logout tokens. */

let database: TestDatabase
let pool: pg.Pool
let sessions: Sessions
let provider: IdentityProvider
const server = createServer()
let origin: string

beforeAll(async () => {
  database = await createTestDatabase()
  pool = new pg.Pool({ connectionString: database.url })
  const cookie = { name: 'id', secure: false }
  sessions = createSessions({ database: fromPg(pool), cookie, log: false })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  provider = await openIdentityProvider(origin)
  server.on('request', await relyingParty(sessions, provider.issuer, origin))
})
afterAll(async () => {
  await provider[Symbol.asyncDispose]()
  server.closeAllConnections()
  server.close()
  await sessions.close()
  await pool.end()
  await database.drop()
})

async function signIn(user: string): Promise<Browser> {
  const browser = new Browser()
  await browser.setCookie(`user=${user}; Path=/`, provider.issuer)
  const page = await browser.open(`${origin}/login`)
  expect(page).toMatchObject({ url: `${origin}/me`, text: JSON.stringify(user) })
  return browser
}

async function signOutAtProvider(browser: Browser): Promise<void> {
  const { text } = await browser.open(`${provider.issuer}/session/end`)
  const xsrf = /name="xsrf" value="(\w+)"/.exec(text)?.[1] ?? ''
  await browser.open(`${provider.issuer}/session/end/confirm`, {
    method: 'POST',
    body: new URLSearchParams({ xsrf, logout: 'yes' }),
  })
}

test('a logout at the provider ends the sessions that came from it, and no others', async () => {
  const [desk, phone, bob] = [await signIn('ann'), await signIn('ann'), await signIn('bob')]
  const [watched] = await sessions.listByUser('bob')
  const end = new Promise((resolve) => sessions.watch(watched?.id ?? '', resolve))
  await signOutAtProvider(desk)
  expect(provider.failures).toEqual([])
  const me = `${origin}/me`
  expect((await desk.open(me)).text).toBe('null')
  expect((await phone.open(me)).text).toBe('"ann"')
  expect((await bob.open(me)).text).toBe('"bob"')
  await signOutAtProvider(bob)
  expect(await end).toBe('gone')
})

test('a logout token that is forged ends nothing', async () => {
  const ann = await signIn('ann')
  const [session] = await sessions.listByUser('ann')
  const sid = session?.tags[0]?.split('#')[1]
  const claims = { iss: provider.issuer, aud: 'shop', sid, iat: Date.now() / 1000, jti: '1' }
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')
  const token = `${encode({ alg: 'none' })}.${encode({ ...claims, events: {} })}.`
  for (const logoutToken of [token, 'nonsense', '']) {
    const body = new URLSearchParams({ logout_token: logoutToken })
    const answer = await fetch(`${origin}/backchannel-logout`, { method: 'POST', body })
    expect(answer.status).toBe(400)
  }
  expect((await ann.open(`${origin}/me`)).text).toBe('"ann"')
})
