import { randomUUID } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import { createSessions, MemoryStore } from 'pg-sessions'
import { nodeSessions } from 'pg-sessions/node'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type FixtureProcesses, startTwoProcesses } from '../support/fixture-server-processes.ts'
import type { HttpVisitor } from '../support/fixture-server-visitor.ts'
import { elapse } from '../support/postgres-store.ts'

/** Promise 4: only periodic renewal has a grace period, and it never spans a change of privilege. */

let processes: FixtureProcesses
let pool: pg.Pool
beforeAll(async () => {
  processes = await startTwoProcesses({ renewInterval: '15m' })
  pool = new pg.Pool({ connectionString: processes.database.url })
})
afterAll(async () => {
  await pool.end()
  await processes.stop()
})

const CROWD = 50
const SECOND = 1000
const INTERVAL = 15 * 60 * SECOND
const GRACE = 30 * SECOND
/** When a reply counts as lost. */
const PATIENCE = 10 * SECOND

/** A visitor whose token is due for renewal. */
async function visitorAtRenewalTime(user = 'ann'): Promise<HttpVisitor> {
  const visitor = processes.visitor()
  await visitor.post(`/do/sign-in/${user}`)
  await elapse(pool, INTERVAL)
  return visitor
}

/** The user whose session each process opens for a token; null if it belongs to no user. */
async function openedTo(token: string | null): Promise<(string | null)[]> {
  const visitor = processes.visitor().twin(token)
  return [(await visitor.at(0).session()).userId, (await visitor.at(1).session()).userId]
}

it('50 requests at renewal time, all of which have read the old token, get one new one', async () => {
  const ann = await visitorAtRenewalTime()
  const gate = randomUUID()
  const tabs = Array.from({ length: CROWD }, (_, n) => ann.at(n % 2))
  const answering = tabs.map((tab) => tab.post(`/slow/${gate}/get/a`))
  await Promise.all([0, 1].map((process) => ann.at(process).openGate(gate, CROWD / 2)))
  const answers = await Promise.all(answering)

  expect(answers.map(({ status }) => status)).toEqual(Array(CROWD).fill(200))
  const renewed = answers.filter(({ setCookies }) => setCookies.length > 0)
  expect(renewed).toHaveLength(1)
  expect(renewed[0]?.setCookies).toHaveLength(1)
  expect(renewed[0]?.headers.get('cache-control')).toBe('no-store')
  const [token] = tabs.map((tab) => tab.token).filter((it) => it !== ann.token)
  expect(await openedTo(token ?? null)).toEqual(['ann', 'ann'])
  expect(await openedTo(ann.token)).toEqual(['ann', 'ann'])
})

it('50 requests at renewal time that nothing holds back sign no user out', async () => {
  const ann = await visitorAtRenewalTime()
  const old = ann.token
  const answers = await Promise.all(Array.from({ length: CROWD }, () => ann.get('/session')))
  expect(answers.map(({ session }) => session.userId)).toEqual(Array(CROWD).fill('ann'))
  expect(answers.flatMap(({ setCookies }) => setCookies)).toHaveLength(1)
  expect(ann.token, 'the browser goes on with the new one').not.toBe(old)
  expect(await openedTo(ann.token)).toEqual(['ann', 'ann'])
})

it('the old token works within its grace, and is refused everywhere after it', async () => {
  const ann = await visitorAtRenewalTime()
  const late = ann.twin()
  await ann.get('/session')
  expect((await late.post('/do/set/a/1')).status).toBe(200)
  expect((await ann.session()).data).toEqual({ a: '1' })
  await elapse(pool, GRACE)
  const answer = await late.get('/session')
  expect(answer.session.userId).toBeNull()
  expect(answer.setCookies).toEqual([])
  expect(await openedTo(late.token)).toEqual([null, null])
  expect(await openedTo(ann.token)).toEqual(['ann', 'ann'])
})

it('a client whose response got lost is given the same new token again', async () => {
  const ann = await visitorAtRenewalTime()
  const lost = ann.twin()
  await lost.get('/session')
  expect(lost.token).not.toBe(ann.token)
  await elapse(pool, PATIENCE)
  expect((await ann.session()).userId).toBe('ann')
  expect(ann.token).toBe(lost.token)
  await elapse(pool, GRACE)
  expect(await openedTo(ann.token)).toEqual(['ann', 'ann'])
})

it('a thief with the old token cannot take the place of a client that has shown the new one', async () => {
  const ann = await visitorAtRenewalTime()
  const thief = ann.twin()
  await ann.get('/session')
  await ann.get('/session')
  for (const _ of [1, 2, 3, 4]) {
    await elapse(pool, PATIENCE)
    expect((await thief.get('/session')).setCookies).toEqual([])
  }
  expect(await openedTo(ann.token)).toEqual(['ann', 'ann'])
})

it('what a slow request stores is kept, though its token was renewed and its grace is over', async () => {
  const ann = await visitorAtRenewalTime()
  const gate = randomUUID()
  const slow = ann.at(1)
  const answering = slow.post(`/slow/${gate}/set/upload/done`)
  await slow.get(`/gates/${gate}/reached/1`)
  await ann.at(0).get('/session')
  await elapse(pool, GRACE)
  await slow.post(`/gates/${gate}/open`)
  expect((await answering).status).toBe(200)
  const rows = await pool.query(
    "select 1 from sessions.session_entry where key = 'upload' and value = '\"done\"'",
  )
  expect(rows.rowCount).toBe(1)
})

it.each(['sign-in/bob', 'sign-in/ann', 'rotate', 'clear', 'sign-out', 'destroy'])(
  '%s at renewal time has no grace, on any process',
  async (action) => {
    const ann = await visitorAtRenewalTime()
    const old = ann.token
    expect((await ann.post(`/do/${action}`)).status).toBe(200)
    expect(await openedTo(old)).toEqual([null, null])
  },
)

it.each(['sign-in/bob', 'sign-in/ann', 'rotate', 'clear', 'sign-out', 'destroy'])(
  '%s within a grace ends it, whichever token is shown',
  async (action) => {
    for (const isOld of [true, false]) {
      const ann = await visitorAtRenewalTime()
      const old = ann.twin()
      await ann.get('/session')
      const visitor = (isOld ? old : ann).twin()
      expect((await visitor.post(`/do/${action}`)).status).toBe(200)
      expect(await openedTo(old.token)).toEqual([null, null])
      expect(await openedTo(ann.token)).toEqual([null, null])
    }
  },
)

it('of a renewal and a change of privilege at once nothing is left but the new privilege', async () => {
  for (let round = 0; round < 10; round += 1) {
    const ann = await visitorAtRenewalTime()
    const tabs = Array.from({ length: 10 }, (_, n) => ann.at(n % 2))
    const admin = ann.at(round % 2)
    await Promise.all([...tabs.map((tab) => tab.get('/session')), admin.post('/do/rotate')])
    expect(await openedTo(admin.token)).toEqual(['ann', 'ann'])
    for (const { token } of [ann, ...tabs]) expect(await openedTo(token)).toEqual([null, null])
  }
})

it('a client that has hung up is given no token, which it would never get', async () => {
  let now = Date.now()
  const store = new MemoryStore({ now: () => now })
  const sessions = createSessions({ store, renewInterval: '15m', log: false })
  const sessionOf = nodeSessions(sessions)
  const progress = new EventEmitter()
  const server = createServer(async (request, response) => {
    const session = sessionOf(request, response)
    if (request.url === '/hang') {
      progress.emit('begun')
      await once(response, 'close')
    }
    if (request.url === '/begin') session.set('a', 1)
    response.end(String(await session.get('a')))
    progress.emit('ended')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const begun = await fetch(`${url}/begin`)
  const cookie = String(begun.headers.getSetCookie()[0]?.split(';')[0])
  now += INTERVAL

  const aborter = new AbortController()
  const hanging = fetch(`${url}/hang`, { headers: { cookie }, signal: aborter.signal })
  await once(progress, 'begun')
  const ended = once(progress, 'ended')
  aborter.abort()
  await expect(hanging).rejects.toThrow()
  await ended

  const next = await fetch(url, { headers: { cookie } })
  expect(await next.text()).toBe('1')
  expect(next.headers.getSetCookie(), 'the renewal was left to the next request').toHaveLength(1)
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await sessions.close()
})
