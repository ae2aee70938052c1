import { createSessions, MemoryStore } from 'pg-sessions'
import { withSession } from 'pg-sessions/fetch'
import { expect, it } from 'vitest'

/** A session that has just been begun, and a store whose clock can be moved. */
async function begun(waitUntil: (work: Promise<unknown>) => void) {
  let ahead = 0
  const store = new MemoryStore({ now: () => Date.now() + ahead })
  const lines: string[] = []
  const log = {
    debug() {},
    info() {},
    error() {},
    warn: (_: object, line: string) => lines.push(line),
  }
  const sessions = createSessions({ store, waitUntil, log })
  const handler = withSession(sessions, async (request, session) => {
    if (request.method === 'POST') session.set('a', 1)
    return Response.json(await session.get('a'))
  })
  const answer = await handler(new Request('https://example.com', { method: 'POST' }))
  const cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  ahead = 30 * 60_000
  return {
    lines,
    read: () => handler(new Request('https://example.com', { headers: { cookie } })),
    lastAccess: async () => {
      const id = cookie.split('=')[1]?.slice(0, 22) ?? ''
      const hex = Buffer.from(id, 'base64url').toString('hex')
      const uuid = hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
      const [live] = await store.findLive([uuid])
      return live?.remaining ?? 0
    },
  }
}

it('gives the platform what is written beside the response', async () => {
  const works: Promise<unknown>[] = []
  const { read, lastAccess } = await begun((work) => works.push(work))
  expect((await read()).status).toBe(200)
  expect(works).toHaveLength(1)
  await Promise.all(works)
  expect(await lastAccess()).toBeGreaterThan(59 * 60_000)
})

it('answers all the same when the platform refuses it, and says so', async () => {
  const { read, lines } = await begun(() => {
    throw new TypeError('the request is over')
  })
  expect((await read()).status).toBe(200)
  expect(lines).toContain('waitUntil failed, so work beside a response may not end')
})
