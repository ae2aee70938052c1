import type { PGlite } from '@electric-sql/pglite'
import { createSessions, type Session, type Sessions } from 'pg-sessions'
import { fromPglite } from 'pg-sessions/pglite'

declare module 'pg-sessions' {
  interface SessionData {
    clicks: number
  }
}

/** What a visitor can ask for. */
export type Action = 'look' | 'click' | 'sign-in' | 'sign-out'

/** The answer to a request, with the cookies of its head. */
export interface Answer {
  readonly userId: string | null
  readonly clicks: number
  readonly setCookies: readonly string[]
}

/** The application, as it would run on a server: a cookie comes in, the session is used, the head is sent. */
export class Shop {
  readonly #sessions: Sessions

  constructor(db: PGlite) {
    this.#sessions = createSessions({ database: fromPglite(db) })
  }

  /** Makes the tables. */
  ready(): Promise<void> {
    return this.#sessions.ready()
  }

  async answer(action: Action, cookie: string): Promise<Answer> {
    const exchange = this.#sessions.open(cookie)
    const { session } = exchange
    await act(session, action)
    await session.load()
    const { userId, data } = session
    const clicks = data.clicks ?? 0
    // On a server an adapter does this before the head of the response leaves.
    const { setCookies } = await exchange.commit()
    return { userId, clicks, setCookies }
  }
}

async function act(session: Session, action: Action): Promise<void> {
  if (action === 'click') await session.update('clicks', (clicks = 0) => clicks + 1)
  if (action === 'sign-in') await session.signIn('ann')
  if (action === 'sign-out') await session.signOut()
}
