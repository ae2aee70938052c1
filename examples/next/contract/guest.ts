import { createSessions, MemoryStore, type SessionSettings, type Sessions } from 'pg-sessions'
import type { ErrorPage, Script } from 'pg-sessions/testing'
import { openApplication } from './application.ts'

/** Does to a session what a query says. */
const script: Script = {
  change() {},
  async use(session, url) {
    for (const [act, argument] of new URL(url, 'http://localhost').searchParams) {
      if (act === 'set') Reflect.apply(session.set, session, [argument, true])
      else if (act === 'signIn') await session.signIn(argument)
    }
    const entries = Object.fromEntries(await session.entries())
    return JSON.stringify({ userId: session.userId, entries })
  },
  async *body() {},
  async *brokenBody() {},
  async *events() {},
  error: new RangeError('thrown'),
  errorPage: (): ErrorPage => ({ status: 500, text: 'error page' }),
}

/** A visitor who keeps cookies as a browser does, and sees the application's responses. */
export class Guest {
  readonly #origin: string
  readonly #cookies = new Map<string, string>()

  constructor(origin: string) {
    this.#origin = origin
  }

  /** What a request sends. */
  get cookie(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  async ask(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers)
    if (this.cookie !== '') headers.set('cookie', this.cookie)
    const url = new URL(path, this.#origin)
    const answer = await fetch(url, { redirect: 'manual', ...init, headers })
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (/max-age=0/i.test(line)) this.#cookies.delete(name)
      else this.#cookies.set(name, value)
    }
    return answer
  }

  /** What the session holds, by a Route Handler. */
  async holdings(): Promise<unknown> {
    return (await this.ask('/use')).json()
  }
}

/** Opens the built application with sessions of its own for one test. */
export async function withGuest(
  body: (guest: Guest, sessions: Sessions) => Promise<void>,
  settings: SessionSettings = {},
  store: MemoryStore = new MemoryStore(),
): Promise<void> {
  const sessions = createSessions({ ...settings, store, log: false })
  const others = createSessions({
    store: new MemoryStore(),
    cookie: { name: '__Host-other' },
    log: false,
  })
  const { origin, close } = await openApplication({ sessions, others, script })
  try {
    await body(new Guest(origin), sessions)
  } finally {
    await close()
    await sessions.close()
  }
}

/** What a page of React says of the session. */
export function seenIn(text: string): unknown {
  const [, seen = 'null'] = /<output>(.*?)<\/output>/.exec(text) ?? []
  return JSON.parse(seen.replaceAll('&quot;', '"'))
}
