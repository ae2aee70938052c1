import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createSessions, MemoryStore } from 'pg-sessions'
import type { Script } from 'pg-sessions/testing'
import { openApplication } from './application.ts'

const script: Script = {
  change() {},
  use: async () => '',
  async *body() {},
  async *brokenBody() {},
  async *events() {},
  error: new RangeError('thrown'),
  errorPage: () => ({ status: 500, text: 'error page' }),
}

describe('routes of Nitro', () => {
  it('have a session, but not when another route fetches them by their path', async () => {
    const sessions = createSessions({ store: new MemoryStore(), log: false })
    const { origin, close } = await openApplication({ sessions, others: sessions, script })
    try {
      const ask = async (path: string): Promise<string> => (await fetch(`${origin}${path}`)).text()
      assert.deepEqual([await ask('/has-session'), await ask('/fetched')], ['true', 'false'])
    } finally {
      await close()
      await sessions.close()
    }
  })
})
