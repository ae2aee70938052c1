import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createSessions, MemoryStore, type SessionEvents } from 'pg-sessions'
import { nodeSessions } from 'pg-sessions/node'
import { afterEach, expect, test } from 'vitest'

const servers = new Set<ReturnType<typeof createServer>>()

afterEach(() => {
  for (const server of servers) server.close()
  servers.clear()
})

/** A page that sets a value when the first bytes of its response have left. */
async function lateSetter(told: SessionEvents['lateSaveFailed'][]): Promise<string> {
  const sessions = createSessions({ store: new MemoryStore(), log: false })
  sessions.on('lateSaveFailed', (event) => told.push(event))
  const sessionOf = nodeSessions(sessions)
  const server = createServer((request, response) => {
    const session = sessionOf(request, response)
    response.write('begun')
    session.set('late', true)
    response.end()
  }).listen(0, '127.0.0.1')
  servers.add(server)
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('a value for an unknown token, set when no cookie can be sent any more, is told to be lost', async () => {
  const told: SessionEvents['lateSaveFailed'][] = []
  const origin = await lateSetter(told)
  const unknown = `AaIJiD9KcDOvJ-craGfg3g${'s'.repeat(32)}`
  const response = await fetch(origin, { headers: { cookie: `__Host-id=${unknown}` } })
  expect([response.status, await response.text()]).toEqual([200, 'begun'])
  await expect.poll(() => told).toMatchObject([{ error: { code: 'ERR_RESPONSE_STARTED' } }])
})
