import { type CookieToSet, cookieToSet } from '../../http/cookie-to-set.ts'
import type { Exchange, Session, SessionOpener } from '../../http/exchange.ts'
import { headerOfCookies } from '../../http/header-of-cookies.ts'
import type { ResponseHeaders } from '../../http/response-headers.ts'

/** What `await cookies()` of Next returns. */
export interface NextCookies {
  getAll(): readonly { readonly name: string; readonly value: string }[]
  set(cookie: CookieToSet): unknown
}

/** A session joined to a request in flight in Next. */
export interface Visit<Data extends object> {
  readonly session: Session<Data>
  /** Counts a call of `withSaving` as under way until it is done. */
  during<Result>(call: () => Promise<Result>): Promise<Result>
  /**
   * Saves what there is to save, and leaves that to the last of several calls under way. After the first
   * success no cookie can be set any more.
   *
   * @throws {SessionError} The save failed, and what it should have saved has been dropped.
   */
  finish(): Promise<void>
  /** What the response's headers say, except the cookie, which Next adds itself. */
  readonly addition: ResponseHeaders
}

/**
 * Joins a session to the request that a store of cookies belongs to.
 *
 * @param sent - The request's `Cookie` header; null if the application does not give it.
 */
export function openVisit<Data extends object>(
  sessions: SessionOpener<Data>,
  store: NextCookies,
  sent: string | null,
  after: (task: () => Promise<void>) => void,
): Visit<Data> {
  let isOver = false
  let isPlanned = false
  let calls = 0
  const canSet = (): boolean => !isOver && takesCookies(store)
  const finishLate = (): Promise<void> => {
    isOver = true
    return exchange.commitLate()
  }
  const planFinish = (): void => {
    if (isPlanned) return
    isPlanned = true
    after(finishLate)
  }
  const exchange: Exchange<Data> = sessions.open(headerOfCookies(store.getAll(), sent), {
    phase: () => (canSet() ? 'open' : 'sent'),
    onUse() {
      // A component that only reads: there may be an access to write, which is known once it is loaded.
      if (hasCookies(store)) exchange.session.load().then(planFinish, planFinish).catch(finishLate)
    },
    onChange: planFinish,
    onCookieUpdate() {
      // All there can be to say otherwise is that the session has ended, which its cookie survives.
      if (!canSet()) return
      for (const line of exchange.head.setCookies) store.set(cookieToSet(line))
    },
  })
  // In actions and Route Handlers at once: in a body that streams, Next no longer knows the request. Not
  // while components render: `after` reads the clock, which Next's development server reports as an error
  // in whatever it could prerender, up to the first wait for data.
  if (canSet()) planFinish()
  return {
    session: exchange.session,
    async during(call) {
      calls += 1
      try {
        return await call()
      } finally {
        calls -= 1
      }
    },
    async finish() {
      if (calls > 1) return
      try {
        await exchange.commit()
        isOver = true
      } catch (error) {
        exchange.discard()
        throw error
      }
    },
    get addition() {
      return { ...exchange.head, setCookies: [] }
    },
  }
}

function hasCookies(store: NextCookies): boolean {
  return store.getAll().length > 0
}

const REACHED = Symbol('reached')

/**
 * Whether Next takes a cookie now. It says so only by refusing one, so it is given one that cannot be
 * read: where it gets as far as reading it, it would have taken it.
 */
function takesCookies(store: NextCookies): boolean {
  const unreadable = {
    get name(): string {
      throw REACHED
    },
    value: '',
    path: '/',
  }
  try {
    store.set(unreadable)
  } catch (error) {
    return error === REACHED
  }
  return true
}
