import { HeldSession } from '../by-sid/held-session.ts'

/**
 * Remembers, on the objects that pass through a middleware, what their request knows to be stored.
 *
 * A store is asked by `get` and told by `set`, and nothing but the session object ties the two together.
 * express-session makes its object in our `createSession`, so that one is simply known. @fastify/session copies
 * the keys to an object of its own, but keeps what the cookie's `toJSON` gave, spread into its cookie
 * options: there the knowledge travels under a symbol.
 */
const HELD: unique symbol = Symbol('pg-sessions.held')

const holders = new WeakMap<object, HeldSession>()

/** Says what is known of the session that this object is. */
export function attach(session: object, held: HeldSession): void {
  holders.set(session, held)
}

/** Does so for an object that a middleware is going to copy. Adds nothing that can be listed or compared. */
export function attachToCopies(session: { cookie?: unknown }, held: HeldSession): void {
  attach(session, held)
  if (!Object.hasOwn(session, 'cookie')) {
    Object.defineProperty(session, 'cookie', { value: {}, configurable: true, writable: true })
  }
  const { cookie } = session
  if (typeof cookie !== 'object' || cookie === null) return
  Object.defineProperty(cookie, 'toJSON', {
    value: () => ({ ...cookie, [HELD]: held }),
    configurable: true,
    writable: true,
  })
}

/** What is known of a session under this sid; something new when it is nothing. */
export function heldOf(session: object, sid: string): HeldSession {
  const held = holders.get(session) ?? heldByOptions(session)
  if (held?.isOf(sid)) return held
  const fresh = new HeldSession(sid)
  attach(session, fresh)
  return fresh
}

function heldByOptions(session: object): HeldSession | undefined {
  for (const symbol of Object.getOwnPropertySymbols(session)) {
    const options: unknown = Reflect.get(session, symbol)
    if (typeof options !== 'object' || options === null) continue
    const held: unknown = Reflect.get(options, HELD)
    if (held instanceof HeldSession) return held
  }
  return undefined
}
