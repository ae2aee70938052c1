import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { createSessions, MemoryStore, type Session } from 'pg-sessions'
import type { Script } from 'pg-sessions/testing'
import { closeAll, openApplication } from './application.ts'

after(async () => {
  await closeAll()
  // Next leaves things open that would keep the process.
  setTimeout(() => process.exit(), 1000).unref()
})

describe('components that Next renders', () => {
  it('are told that a first value needs a cookie, and nothing is stored', async () => {
    const store = new MemoryStore()
    const { answer, text } = await render(store, '', (session) => session.set('clicks', 1))
    assert.equal(answer.status, 200)
    assert.match(text, /ERR_RESPONSE_STARTED/)
    assert.deepEqual(answer.headers.getSetCookie(), [])
    assert.deepEqual(await store.count(), { live: 0, expired: 0 })
  })

  it('change a stored session without a cookie, also when nobody saves', async () => {
    const store = new MemoryStore()
    const sessions = createSessions({ store, log: false })
    const exchange = sessions.open('')
    await exchange.session.signIn('ann')
    const [line = ''] = (await exchange.commit()).setCookies
    const [cookie = ''] = line.split(';')
    const saved = new Promise<void>((resolve) => {
      const save = store.save.bind(store)
      store.save = (change) => save(change).finally(resolve)
    })
    const { answer, text } = await render(store, cookie, (session) => session.set('clicks', 7))
    assert.match(text, /rendered for ann/)
    assert.deepEqual(answer.headers.getSetCookie(), [])
    await saved
    assert.equal(await sessions.open(cookie).session.get('clicks'), 7)
  })
})

async function render(
  store: MemoryStore,
  cookie: string,
  change: (session: Session) => void,
): Promise<{ answer: Response; text: string }> {
  const sessions = createSessions({ store, log: false })
  const script: Script = {
    change,
    use: async () => '',
    async *body() {},
    async *events() {},
    error: new RangeError('thrown'),
    errorPage: () => ({ status: 500, text: 'error page' }),
  }
  const { origin, close } = await openApplication({ sessions, others: sessions, script })
  try {
    const answer = await fetch(new URL('/rendered', origin), { headers: { cookie } })
    return { answer, text: await answer.text() }
  } finally {
    await close()
  }
}
