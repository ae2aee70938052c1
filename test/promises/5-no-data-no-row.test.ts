import { createSessions, MemoryStore } from 'pg-sessions'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { type FixtureServer, startFixtureServer } from '../support/fixture-server.ts'
import { type Answer, HttpVisitor } from '../support/fixture-server-visitor.ts'

/** Promise 5: a client's token is never adopted; no row and no cookie for a visitor without data. */

let database: TestDatabase
let server: FixtureServer
beforeAll(async () => {
  database = await createTestDatabase()
  server = await startFixtureServer(database.url)
  await server.sessions.ready()
})
beforeEach(() => database.query('delete from sessions.session'))
afterAll(async () => {
  await server.stop()
  await database.drop()
})

async function rows(): Promise<unknown> {
  const [counts] = await database.query(
    `select (select count(*) from sessions.session)::int as sessions,
      (select count(*) from sessions.session_data)::int as entries`,
  )
  return counts
}

/** Requests of a visitor who has nothing: none of them begins a session. */
const idle = [
  'GET /untouched',
  'GET /session',
  'POST /do/get/a',
  'POST /do/delete/a',
  'POST /do/take/a',
  'POST /do/save',
  'POST /do/rotate',
  'POST /do/clear',
  'POST /do/destroy',
  'POST /do/sign-out',
  'GET /no/such/page',
]

async function visitAll(visitor: () => HttpVisitor, headers?: Record<string, string>) {
  const answers: Answer[] = []
  for (const request of idle) {
    const [method, path] = request.split(' ') as ['GET' | 'POST', string]
    const client = visitor()
    answers.push(await (method === 'GET' ? client.get(path, headers) : client.post(path, headers)))
  }
  return answers
}

it('visitors without a cookie, bots and health checks leave no row and get no cookie', async () => {
  const crowd = await Promise.all(
    Array.from({ length: 20 }, () => visitAll(() => new HttpVisitor([server.url]))),
  )
  expect(crowd.flat().flatMap(({ setCookies }) => setCookies)).toEqual([])
  expect(await rows()).toEqual({ sessions: 0, entries: 0 })
})

it('a page that does not use its session says nothing of cookies, one that does varies by them', async () => {
  const ann = new HttpVisitor([server.url])
  await ann.post('/do/set/a/1')
  for (const client of [new HttpVisitor([server.url]), ann]) {
    const untouched = await client.get('/untouched')
    expect(untouched.headers.get('vary')).toBeNull()
    expect(untouched.setCookies).toEqual([])
    const used = await client.get('/session')
    expect(used.headers.get('vary')).toContain('Cookie')
    expect(used.setCookies, 'reading sets none').toEqual([])
  }
})

it('unknown, expired and forged tokens leave no row, and nothing that was there changes', async () => {
  const ann = new HttpVisitor([server.url])
  await ann.post('/do/set/a/1')
  const before = await database.query('select s::text from sessions.session as s')
  const forged = [
    'A'.repeat(54),
    `${ann.token?.slice(0, 22)}${'A'.repeat(32)}`,
    `${'A'.repeat(22)}${ann.token?.slice(22)}`,
    `${ann.token}A`,
    `${ann.token?.slice(0, 53)}`,
    'garbage',
    '"quoted"',
    '%00%0d%0aSet-Cookie:x=y',
    'x'.repeat(8000),
    "'; drop schema sessions cascade; --",
  ]
  for (const token of forged) {
    const answers = await visitAll(() => new HttpVisitor([server.url], token))
    expect(answers.filter(({ status }) => status >= 500)).toEqual([])
    expect(answers[1]?.session).toEqual({ id: null, userId: null, data: {}, isNew: true })
    const cookies = answers.flatMap(({ setCookies }) => setCookies)
    for (const cookie of cookies) expect(cookie, token).toMatch(/^__Host-id=; Max-Age=0;/)
  }
  expect(await rows()).toEqual({ sessions: 1, entries: 1 })
  expect(await database.query('select s::text from sessions.session as s')).toEqual(before)
})

it('malformed Cookie headers are not an error, and begin nothing', async () => {
  const ann = new HttpVisitor([server.url])
  await ann.post('/do/set/a/1')
  const headers = [
    '',
    ';',
    ';;;===;',
    '__Host-id',
    '__Host-id=',
    `__Host-id =${ann.token}x`,
    `\u00a0__Host-id=${ann.token}`,
    `__hOsT-id=${ann.token}`,
    `__Host-id=%41${ann.token?.slice(1)}`,
    `=__Host-id=${ann.token}`,
    `$Version=1; __Host-id="${ann.token}"`,
    `a=${'b; a='.repeat(1500)}`,
    '\u00ff\u00fe\u0080',
  ]
  for (const cookie of headers) {
    const answers = await visitAll(() => new HttpVisitor([server.url]), { cookie })
    expect(answers.filter(({ status }) => status >= 500)).toEqual([])
    expect(answers[1]?.session.id, cookie).toBeNull()
  }
  expect(await rows()).toEqual({ sessions: 1, entries: 1 })
})

it('a token is read from its cookie and from nowhere else', async () => {
  const ann = new HttpVisitor([server.url])
  await ann.post('/do/set/a/1')
  const stranger = new HttpVisitor([server.url])
  const { token } = ann
  const { session } = await stranger.get(
    `/session?__Host-id=${token}&id=${token}&sid=${token}&token=${token}`,
    {
      authorization: `Bearer ${token}`,
      'x-session-id': String(token),
      'x-auth-token': String(token),
    },
  )
  expect(session.id).toBeNull()
})

it('a token that a client brings is never adopted: what it gets has another id and secret', async () => {
  const chosen = [
    `AaIJlWqtAAAAAAAAAAAAAA${'A'.repeat(32)}`,
    `AAAAAAAAAAAAAAAAAAAAAA${'b'.repeat(32)}`,
  ]
  for (const token of chosen) {
    const visitor = new HttpVisitor([server.url], token)
    await visitor.post('/do/set/a/1')
    expect(visitor.token).toMatch(/^[\w-]{54}$/)
    expect(visitor.token?.slice(0, 22)).not.toBe(token.slice(0, 22))
    expect(visitor.token?.slice(22)).not.toBe(token.slice(22))
    expect((await new HttpVisitor([server.url], token).session()).id).toBeNull()
  }
  expect(await rows()).toEqual({ sessions: 2, entries: 2 })
})

it('any bytes in a Cookie header are read without an error', () => {
  const sessions = createSessions({ store: new MemoryStore(), log: false })
  let seed = 20_240_229
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
    return seed % below
  }
  const pieces = ['__Host-id', '=', ';', ' ', '"', 'A'.repeat(54), ',', '\t', '%', '\\']
  for (let round = 0; round < 3000; round += 1) {
    const header = Array.from({ length: random(20) }, () =>
      random(3) === 0 ? String.fromCharCode(random(256)) : pieces[random(pieces.length)],
    ).join('')
    const { session } = sessions.open(header)
    expect(() => JSON.stringify(session), header).not.toThrow()
  }
})
