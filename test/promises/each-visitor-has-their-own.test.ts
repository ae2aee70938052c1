import { afterAll, beforeAll, expect, it } from 'vitest'
import { type FixtureProcesses, startTwoProcesses } from '../support/fixture-server-processes.ts'
import type { HttpVisitor } from '../support/fixture-server-visitor.ts'

let processes: FixtureProcesses
beforeAll(async () => {
  processes = await startTwoProcesses()
})
afterAll(() => processes.stop())

it('1000 interleaved requests of 50 users on two processes: no user ever sees the session of another', async () => {
  const users = Array.from({ length: 50 }, (_, n) => `user${n}`)
  const seenIds = new Map<string | null, string>()
  let requests = 0

  const see = async (visitor: HttpVisitor, user: string, notes: number): Promise<void> => {
    const { id, userId, data } = await visitor.session()
    requests += 1
    expect([userId, data]).toEqual([user, { owner: user, notes }])
    expect(seenIds.get(id) ?? user).toBe(user)
    seenIds.set(id, user)
  }

  await Promise.all(
    users.map(async (user) => {
      const visitor = processes.visitor()
      await visitor.post(`/do/set/owner/${user}`)
      await visitor.post(`/do/sign-in/${user}`)
      requests += 2
      for (let round = 1; round <= 6; round += 1) {
        await visitor.post('/do/increment/notes')
        if (round % 3 === 0) await visitor.post('/do/rotate')
        requests += round % 3 === 0 ? 2 : 1
        await Promise.all([see(visitor, user, round), see(visitor.twin(), user, round)])
      }
    }),
  )
  expect(requests).toBeGreaterThanOrEqual(1000)
  expect(seenIds.size).toBe(50)
})
