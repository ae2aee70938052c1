import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FixtureProcesses, startTwoProcesses } from '../support/fixture-server-processes.ts'
import type { Answer, HttpVisitor } from '../support/fixture-server-visitor.ts'

/** Promise 4: a change of token has one winner, and the old token is dead in the same statement. */

let processes: FixtureProcesses
beforeAll(async () => {
  processes = await startTwoProcesses()
})
afterAll(() => processes.stop())

const CROWD = 50

/** Has tabs with one token do something at the same moment, on both processes, all of them loaded. */
async function atOnce(
  visitor: HttpVisitor,
  actions: readonly string[],
): Promise<{ tabs: HttpVisitor[]; answers: Answer[] }> {
  const gate = randomUUID()
  const halves = [0, 1].map((process) => visitor.at(process))
  const tabs = actions.map((_, index) => visitor.at(index % 2))
  const answering = tabs.map((tab, index) => tab.post(`/slow/${gate}/${actions[index]}`))
  await Promise.all(halves.map((it) => it.get(`/gates/${gate}/reached/${actions.length / 2}`)))
  await Promise.all(halves.map((it) => it.post(`/gates/${gate}/open`)))
  return { tabs, answers: await Promise.all(answering) }
}

/** The tokens that open a session, of all there are. */
async function valid(tokens: Iterable<string | null>): Promise<string[]> {
  const found: string[] = []
  for (const token of new Set(tokens)) {
    if (token === null) continue
    const { id } = await processes.visitor().twin(token).session()
    if (id !== null) found.push(token)
  }
  return found
}

it('50 rotations at once leave exactly one valid token, in exactly one response', async () => {
  const ann = processes.visitor()
  await ann.post('/do/set/a/1')
  const before = ann.token
  const { id } = await ann.session()
  const { tabs, answers } = await atOnce(ann, Array<string>(CROWD).fill('rotate'))
  expect(answers.map(({ status }) => status)).toEqual(Array(CROWD).fill(200))
  expect(answers.flatMap(({ setCookies }) => setCookies)).toHaveLength(1)
  const tokens = await valid([before, ...tabs.map(({ token }) => token)])
  expect(tokens).toHaveLength(1)
  expect(tokens).not.toContain(before)
  expect(await processes.visitor().twin(tokens[0]).session()).toMatchObject({
    id,
    data: { a: '1' },
  })
})

it('50 rotations at once that nothing holds back leave exactly one valid token too', async () => {
  const ann = processes.visitor()
  await ann.post('/do/set/a/1')
  const tabs = Array.from({ length: CROWD }, (_, index) => ann.at(index % 2))
  await Promise.all(tabs.map((tab) => tab.post('/do/rotate')))
  expect(await valid([ann.token, ...tabs.map(({ token }) => token)])).toHaveLength(1)
})

it('of 50 clears at once one begins the new session, and the others are told', async () => {
  const ann = processes.visitor()
  await ann.post('/do/sign-in/ann')
  const { tabs, answers } = await atOnce(ann, Array<string>(CROWD).fill('clear'))
  const statuses = answers.map(({ status }) => status)
  expect(statuses.sort()).toEqual([200, ...Array<number>(CROWD - 1).fill(409)])
  expect(answers.flatMap(({ setCookies }) => setCookies)).toHaveLength(1)
  const tokens = await valid([ann.token, ...tabs.map(({ token }) => token)])
  expect(tokens).toHaveLength(1)
  expect(tokens).not.toContain(ann.token)
})

it('of 50 sign-ins at once with one token one signs in, and the others no user', async () => {
  const browser = processes.visitor()
  await browser.post('/do/set/basket/apple')
  const users = Array.from({ length: CROWD }, (_, n) => `sign-in/user${n}`)
  const { tabs, answers } = await atOnce(browser, users)
  const winners = answers.flatMap(({ status }, index) => (status === 200 ? [index] : []))
  expect(winners).toHaveLength(1)
  expect(answers.filter(({ code }) => code === 'ERR_SESSION_GONE')).toHaveLength(CROWD - 1)
  const [winner = -1] = winners
  expect(await valid([browser.token, ...tabs.map(({ token }) => token)])).toEqual([
    tabs[winner]?.token,
  ])
  expect(await tabs[winner]?.session()).toMatchObject({
    userId: `user${winner}`,
    data: { basket: 'apple' },
  })
})

it('rotations, clears and sign-ins at once leave the session one token', async () => {
  const browser = processes.visitor()
  await browser.post('/do/set/a/1')
  const actions = Array.from({ length: CROWD }, (_, n) =>
    n % 3 === 0 ? 'rotate' : n % 3 === 1 ? 'clear' : 'sign-in/ann',
  )
  const { tabs, answers } = await atOnce(browser, actions)
  const tokens = await valid([browser.token, ...tabs.map(({ token }) => token)])
  // If a sign-in was first, the others of the same user have sessions of their own.
  const ids = await Promise.all(tokens.map((it) => processes.visitor().twin(it).session()))
  expect(new Set(ids.map(({ id }) => id)).size).toBe(tokens.length)
  const successes = answers.filter(({ setCookies }) => setCookies.length > 0)
  expect(successes).toHaveLength(tokens.length)
  expect(ids.every(({ userId }) => tokens.length === 1 || userId === 'ann')).toBe(true)
})

describe('a thief', () => {
  it('who has chosen the token dies at sign-in, and before it never lived', async () => {
    const known = processes.visitor()
    await known.post('/do/set/a/1')
    const chosen = `${known.token?.slice(0, 22)}${'A'.repeat(32)}`
    const [victim, thief] = [known.twin(chosen), known.twin(chosen)]
    expect((await thief.session()).id).toBeNull()
    await victim.post('/do/sign-in/victim')
    expect(victim.token).not.toBe(chosen)
    expect((await victim.session()).userId).toBe('victim')
    expect((await thief.session()).userId).toBeNull()
  })

  it('who owns the token and polls with it all the time gets nothing at sign-in', async () => {
    const thief = processes.visitor()
    await thief.post('/do/set/planted/1')
    const victim = thief.twin()
    const gate = randomUUID()
    const poll = thief.at(0)
    const polling = poll.post(`/slow/${gate}/rotate`)
    await thief.at(0).get(`/gates/${gate}/reached/1`)
    const others = Array.from({ length: 20 }, () => thief.twin())
    const racing = Promise.all(others.map((it) => it.post('/do/rotate')))
    const { status } = await victim.post('/do/sign-in/victim')
    await racing
    await poll.openGate(gate)
    await polling

    const stolen = [poll, ...others, thief].map((it) => it.token)
    for (const token of stolen) {
      expect((await processes.visitor().twin(token).session()).userId).toBeNull()
    }
    // Either the victim was first, or the thief's rotation was, and then no user was signed in.
    expect([200, 409]).toContain(status)
    if (status === 200) expect((await victim.session()).userId).toBe('victim')
  })

  it("cannot read or write in the victim's session by a request that began before the sign-in", async () => {
    const thief = processes.visitor()
    await thief.post('/do/set/planted/1')
    const victim = thief.twin()
    const gate = randomUUID()
    const late = [
      'set/planted/2',
      'set/new/2',
      'increment/n',
      'delete/planted',
      'take/planted',
      'rotate',
      'clear',
      'sign-in/thief',
    ]
    const tabs = late.map(() => thief.at(0))
    const answering = tabs.map((tab, index) => tab.post(`/slow/${gate}/${late[index]}`))
    await thief.at(0).get(`/gates/${gate}/reached/${late.length}`)
    await victim.post('/do/sign-in/victim')
    await victim.post('/do/set/secret/1')
    await thief.at(0).openGate(gate, late.length)
    for (const [index, answer] of (await Promise.all(answering)).entries()) {
      expect([late[index], answer.status, answer.setCookies]).toEqual([late[index], 409, []])
    }
    expect(await victim.session()).toMatchObject({
      userId: 'victim',
      data: { planted: '1', secret: '1' },
    })
  })
})
