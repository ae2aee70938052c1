import { get } from 'node:http'
import { createSessions, MemoryStore } from 'pg-sessions'
import { nodeSessions } from 'pg-sessions/node'
import { expect, it } from 'vitest'
import { serve } from '../adapters/listen.ts'

it('warns once of each host whose browsers drop a Secure cookie over plain http', async () => {
  const warnings: unknown[] = []
  const nothing = (): void => {}
  const warn = (fields: object): void => void warnings.push(fields)
  const log = { debug: nothing, info: nothing, warn, error: nothing }
  const sessionOf = nodeSessions(createSessions({ store: new MemoryStore(), log }))
  const { origin, close } = await serve((request, response) => {
    sessionOf(request, response).set('a', 1)
    response.end()
  })
  const ask = (headers: Record<string, string>): Promise<void> =>
    new Promise((resolve, reject) => {
      get(origin, { headers }, (answer) => answer.resume().on('end', resolve)).on('error', reject)
    })
  for (const host of ['localhost:3000', 'shop.localhost', '127.0.0.1:80', '[::1]:3000']) {
    await ask({ host })
  }
  await ask({ host: 'proxied.example', 'x-forwarded-proto': 'https' })
  expect(warnings).toEqual([])
  await ask({ host: 'shop.example:3000' })
  await ask({ host: 'shop.example:3000' })
  expect(warnings).toEqual([{ host: 'shop.example:3000', cookie: '__Host-id' }])
  await close()
})
