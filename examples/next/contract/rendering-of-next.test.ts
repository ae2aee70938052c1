import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
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

  for (const act of ['rotate', 'clear'] as const) {
    it(`are told that ${act} needs a cookie, and the session stays as it is`, async () => {
      const store = new MemoryStore()
      const cookie = await signedIn(store)
      const { answer, text } = await render(store, cookie, (session) => session[act]())
      assert.match(text, /ERR_RESPONSE_STARTED/)
      assert.deepEqual(answer.headers.getSetCookie(), [])
      const { session } = createSessions({ store, log: false }).open(cookie)
      await session.load()
      assert.equal(session.userId, 'ann')
    })
  }

  it('end a session, whose cookie then belongs to no user', async () => {
    const store = new MemoryStore()
    const cookie = await signedIn(store)
    const { answer } = await render(store, cookie, (session) => session.destroy())
    assert.deepEqual(answer.headers.getSetCookie(), [])
    while ((await store.count()).live > 0) await setImmediate()
    const { text } = await render(store, cookie, () => undefined)
    assert.match(text, /rendered for anonymous/)
  })

  it('change a stored session without a cookie, even if the page never calls save', async () => {
    const store = new MemoryStore()
    const cookie = await signedIn(store)
    const saved = new Promise<void>((resolve) => {
      const save = store.save.bind(store)
      store.save = (change) => save(change).finally(resolve)
    })
    const { answer, text } = await render(store, cookie, (session) => session.set('clicks', 7))
    assert.match(text, /rendered for ann/)
    assert.deepEqual(answer.headers.getSetCookie(), [])
    await saved
    const { session } = createSessions({ store, log: false }).open(cookie)
    assert.equal(await session.get('clicks'), 7)
  })
})

/** The cookie of a new session of Ann's. */
async function signedIn(store: MemoryStore): Promise<string> {
  const exchange = createSessions({ store, log: false }).open('')
  await exchange.session.signIn('ann')
  const [line = ''] = (await exchange.commit()).setCookies
  return line.split(';')[0] ?? ''
}

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
    async *brokenBody() {},
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
