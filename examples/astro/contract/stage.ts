import { createSessions, MemoryStore, type Session } from 'pg-sessions'
import type { Script } from 'pg-sessions/testing'
import { openApplication } from './application.ts'

/** What a test of Astro's own ways needs of the application. */
export interface Stage {
  readonly store: MemoryStore
  /** What error pages were given. */
  readonly errors: readonly unknown[]
  /** Asks as a browser that keeps the session's cookie. */
  ask(path: string, init?: RequestInit): Promise<Answer>
}

export interface Answer {
  readonly status: number
  readonly text: string
  readonly headers: Headers
  /** The names of the cookies that it sets, in alphabetical order. */
  readonly cookies: readonly string[]
}

/** How the application is to behave. */
export interface Circumstances {
  /** What routes change. */
  readonly change?: (session: Session) => void
  /** What components do while the page streams. */
  readonly late?: (session: Session) => Promise<string>
  /** Told when a response's head has come. */
  readonly onHead?: () => void
  /** Why no session can be begun. */
  readonly away?: Error
  readonly localsOf?: () => object | undefined
}

export const thrown: Error = new RangeError('The middleware has thrown this.')

/** Runs a test on an application of its own. */
export async function onStage(
  { change = (session) => session.set('clicks', 1), late, onHead, away, localsOf }: Circumstances,
  body: (stage: Stage) => Promise<void>,
): Promise<void> {
  const store = new MemoryStore()
  if (away !== undefined) store.create = () => Promise.reject(away)
  const sessions = createSessions({ store, log: false })
  const others = createSessions({ store, cookie: { name: '__Host-other' }, log: false })
  const errors: unknown[] = []
  const script: Script = {
    change,
    async use(session) {
      return JSON.stringify({ entries: Object.fromEntries(await session.entries()) })
    },
    async *body() {},
    async *brokenBody() {},
    async *events(session) {
      yield late === undefined ? '' : await late(session)
    },
    error: thrown,
    errorPage(session, url, error) {
      errors.push(error)
      if (url.includes('onError')) session.set('clicks', 2)
      const status: unknown = Reflect.get(Object(error), 'statusCode')
      return { status: typeof status === 'number' ? status : 500, text: 'error page' }
    },
  }
  const { origin, close } = await openApplication({ sessions, others, script }, localsOf)
  let cookie = ''
  const ask = async (path: string, init: RequestInit = {}): Promise<Answer> => {
    const headers = { cookie, ...init.headers, origin }
    const answer = await fetch(new URL(path, origin), { ...init, redirect: 'manual', headers })
    onHead?.()
    const lines = answer.headers.getSetCookie()
    const ours = lines.find((line) => line.startsWith('__Host-id='))
    if (ours !== undefined) cookie = ours.replace(/;.*/, '')
    return {
      status: answer.status,
      text: (await answer.text()).trim(),
      headers: answer.headers,
      cookies: lines.map((line) => line.replace(/=.*/, '')).sort(),
    }
  }
  try {
    await body({ store, errors, ask })
  } finally {
    await close()
    await sessions.close()
    await others.close()
  }
}
