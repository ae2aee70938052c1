import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createSessions, MemoryStore, type Session, StoreUnavailableError } from 'pg-sessions'
import type { ErrorPage, Script } from 'pg-sessions/testing'
import { openApplication } from './application.ts'

/** Asks the built application once, with a session to be changed as given. */
async function ask(
  path: string,
  {
    change = (session) => session.set('clicks', 1),
    late = async () => '',
    store = new MemoryStore(),
    headers = {},
    onHead = () => undefined,
  }: Partial<Circumstances> = {},
): Promise<{ answer: Response; text: string; errors: unknown[] }> {
  const sessions = createSessions({ store, log: false })
  const others = createSessions({ store, cookie: { name: '__Host-other' }, log: false })
  const errors: unknown[] = []
  const script: Script = {
    change,
    async use(session) {
      if (path.includes('signIn')) await session.signIn('ann')
      return String(session.id)
    },
    body: none,
    brokenBody: none,
    async *events(session) {
      yield await late(session)
    },
    error: new RangeError('thrown'),
    errorPage(_session, _url, error): ErrorPage {
      errors.push(error)
      return { status: 500, text: 'error page' }
    },
  }
  const { origin, close } = await openApplication({ sessions, others, script })
  try {
    const answer = await fetch(new URL(path, origin), { redirect: 'manual', headers })
    onHead()
    return { answer, text: await answer.text(), errors }
  } finally {
    await close()
  }
}

interface Circumstances {
  readonly change: (session: Session) => void
  readonly late: (session: Session) => Promise<string>
  readonly store: MemoryStore
  readonly headers: Record<string, string>
  readonly onHead: () => void
}

async function* none(): AsyncGenerator<Uint8Array> {}

describe('hooks of SvelteKit', () => {
  for (const [when, path] of [
    ['before the response is made', '/guarded'],
    ['when SvelteKit takes no cookies any more', '/guarded-late'],
  ] as const) {
    it(`sends the cookie with the redirect of a later hook, ${when}`, async () => {
      const { answer } = await ask(path)
      assert.equal(answer.status, 303)
      assert.equal(answer.headers.get('location'), '/use')
      assert.equal(answer.headers.getSetCookie().length, 1)
      assert.match(
        answer.headers.getSetCookie().join(),
        /^__Host-id=[^;]+; (?=.*Path=\/)(?=.*HttpOnly)(?=.*Secure)(?=.*SameSite=Lax)/i,
      )
    })
  }

  it('answers with an error instead of the redirect of a later hook when the save fails', async () => {
    const store = new MemoryStore()
    const away = new StoreUnavailableError('The store is away.', 'none')
    store.create = () => Promise.reject(away)
    const { answer, text, errors } = await ask('/guarded', { store })
    assert.deepEqual([answer.status, text], [500, 'error page'])
    assert.deepEqual(answer.headers.getSetCookie(), [])
    assert.deepEqual(errors, [away])
  })

  it('gives the browser the cookie of a sign-in that event.fetch made', async () => {
    const { answer } = await ask('/fetches?signIn=ann')
    assert.equal(answer.status, 200)
    const ours = answer.headers.getSetCookie().filter((line) => line.startsWith('__Host-id='))
    assert.equal(ours.length, 1)
  })

  it('refuses the first value that comes with what load promises', async () => {
    let passGate = (): void => undefined
    const gate = new Promise<void>((pass) => {
      passGate = () => pass()
    })
    const late = async (session: Session): Promise<string> => {
      await gate
      await session.load()
      try {
        session.set('clicks', 1)
        return 'changed'
      } catch (error) {
        return String(Reflect.get(Object(error), 'code'))
      }
    }
    const { answer, text } = await ask('/streamed', { late, onHead: passGate })
    assert.equal(answer.status, 200)
    assert.deepEqual(answer.headers.getSetCookie(), [])
    assert.match(text, /ERR_RESPONSE_STARTED/)
  })
})
