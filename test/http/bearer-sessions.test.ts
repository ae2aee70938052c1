import { once } from 'node:events'
import { get, type OutgoingHttpHeaders } from 'node:http'
import { text } from 'node:stream/consumers'
import { bearerSessions, createSessions, MemoryStore, type SessionEvents } from 'pg-sessions'
import { withSession } from 'pg-sessions/fetch'
import { nodeSessions } from 'pg-sessions/node'
import { expect, onTestFinished, test } from 'vitest'
import { serve } from '../adapters/listen.ts'

const HOUR = 3_600_000

let now = Date.now()
const sessions = createSessions({
  store: new MemoryStore({ now: () => now }),
  idleTimeout: '1h',
  log: false,
})
const mobile = bearerSessions(sessions, { idleTimeout: '30d', absoluteTimeout: '180d' })

const ask = withSession(mobile, async (request, session) => {
  const user = new URL(request.url).searchParams.get('user')
  if (user !== null) await session.signIn(user)
  await session.load()
  return Response.json({ userId: session.userId }, { status: session.userId === null ? 401 : 200 })
})

const request = (query: string, token?: string): Request =>
  new Request(`https://example.com/${query}`, {
    headers: token === undefined ? {} : { authorization: `bearer  ${token} ` },
  })

async function signIn(user: string): Promise<string> {
  const { headers } = await ask(request(`?user=${user}`))
  return headers.get('session-token') ?? ''
}

test('a session lives as long as bearer sessions say, and one of a browser as the settings say', async () => {
  const token = await signIn('ann')
  const exchange = sessions.open(null)
  await exchange.session.signIn('ann')
  const { setCookies } = await exchange.commit()
  now += 20 * 24 * HOUR
  expect((await ask(request('', token))).status).toBe(200)
  const browser = sessions.open(setCookies[0]?.split(';')[0]).session
  await browser.load()
  expect(browser.userId).toBeNull()
  now += 29 * 24 * HOUR
  expect((await ask(request('', token))).status).toBe(200)
  now += 31 * 24 * HOUR
  const answer = await ask(request('', token))
  expect(answer.status).toBe(401)
  expect(answer.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"')
})

test('a token is told to be dead once its user has signed out', async () => {
  const token = await signIn('bob')
  const end = withSession(mobile, async (_, session) => {
    await session.signOut()
    return new Response('bye')
  })
  const answer = await end(request('', token))
  expect(answer.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"')
  expect(answer.headers.get('session-token')).toBeNull()
  expect(await sessions.listByUser('bob')).toEqual([])
})

test('two tokens in one header, and a cookie beside one, are refused and told', async () => {
  const events: SessionEvents['tokenRefused'][] = []
  onTestFinished(sessions.on('tokenRefused', (event) => events.push(event)))
  const token = await signIn('cid')
  const two = new Request('https://example.com/', {
    headers: { authorization: `Bearer ${token}, Bearer ${token}` },
  })
  expect((await ask(two)).status).toBe(401)
  const both = new Request('https://example.com/', {
    headers: { authorization: `Bearer ${token}`, cookie: `__Host-id=${token}` },
  })
  const refused = withSession(
    mobile,
    async (_, session) => Response.json(await session.entries()),
    {
      onError: (error) => new Response(null, { status: Reflect.get(Object(error), 'statusCode') }),
    },
  )
  const answer = await refused(both)
  expect(answer.status).toBe(400)
  expect(answer.headers.get('www-authenticate')).toBe('Bearer error="invalid_request"')
  expect(events).toEqual([{ reason: 'malformed' }, { reason: 'ambiguous' }])
})

test('of several Authorization headers Node passes on the first, and none counts', async () => {
  const sessionOf = nodeSessions(mobile)
  const { origin, close } = await serve(async (request, response) => {
    const session = sessionOf(request, response)
    await session.load()
    response.end(String(session.userId))
  })
  const token = `Bearer ${await signIn('eva')}`
  const ask = async (authorization: string[]): Promise<string> => {
    const headers: OutgoingHttpHeaders = Object.fromEntries([['authorization', authorization]])
    const [response] = await once(get(origin, { headers }), 'response')
    return text(response)
  }
  expect(await ask([token])).toBe('eva')
  for (const several of [
    [token, 'Basic YTpi'],
    ['Basic YTpi', token],
    [token, token],
  ]) {
    expect(await ask(several)).toBe('null')
  }
  await close()
})

test('an adapter that passes on no Authorization is refused', () => {
  expect(() => mobile.open('')).toThrow(/does not pass on the header Authorization/)
})

test.each<[unknown, RegExp]>([
  [{ header: 'Set-Cookie' }, /header must be the name of a header/],
  [{ header: 'a b' }, /header must be the name of a header/],
  [{ idleTimeout: '2d', absoluteTimeout: '1d' }, /absoluteTimeout .* is shorter/],
  [{ idle: '2d' }, /bearerSessions has no option "idle"/],
])('wrong options are refused: %j', (options, message) => {
  expect(() => bearerSessions(sessions, options as never)).toThrow(message)
})
