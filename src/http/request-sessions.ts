import { ConfigurationError } from '../errors.ts'
import { processWide } from '../process-wide.ts'
import { isSession } from '../session/is-session.ts'
import type { Session } from '../session/session.ts'
import type { SessionOpener } from './exchange.ts'
import { SharedState } from './shared-state.ts'

/** What an adapter makes of a request. */
interface Opened<Data extends object> {
  readonly session: Session<Data>
}

/** How a request's session is opened, and what that gave. */
interface Visit<Exchange> {
  readonly open: () => Exchange
  opened: Exchange | null
  isOver: boolean
}

/** Where each `sessions` object keeps its visit on a request. All adapters made of it share the place. */
const slots = processWide('request-sessions', () => new SharedState(() => Symbol('pg-sessions')))

/** The getters of `session` properties that adapters have defined. */
const ownGetters = processWide('session-getters', () => new WeakSet<object>())

/**
 * The sessions of requests: one for each request and `sessions` object, opened at the first use.
 *
 * Adapters made of one `sessions` object share its session of a request, wherever they are mounted, so
 * that a request has one session, one save and one cookie. Two `sessions` objects on one request are two
 * sessions. The visit is kept on the request itself, and the plain `session` property belongs to the
 * adapter that exposed it last.
 */
export class RequestSessions<Data extends object, Exchange extends Opened<Data> = Opened<Data>> {
  readonly #adapter: string
  readonly #slot: symbol
  /** All requests share one accessor, so that the engine sees one shape of request. */
  readonly #accessor: PropertyDescriptor

  /** @param adapter - The name of the function that makes the adapter, for messages. */
  constructor(sessions: SessionOpener<Data>, adapter: string) {
    const sessionOf = (request: object): Session<Data> => this.of(request)
    this.#adapter = adapter
    this.#slot = slots.of(sessions)
    const get = function (this: object): Session<Data> {
      return sessionOf(this)
    }
    ownGetters.add(get)
    const set = (): never => {
      throw sessionIsAssigned(adapter)
    }
    this.#accessor = { configurable: true, get, set }
  }

  /**
   * Keeps how to open a request's session.
   *
   * @param holder - The framework's own object for the request, which is asked for the session later.
   * @returns Whether this call owns the visit. False if an adapter of the same `sessions` object is already
   * handling the request: that one saves and sets the cookie.
   */
  keep(request: object, open: () => Exchange, holder: object = request): boolean {
    const known = this.#visit(holder) ?? this.#visit(request)
    if (known !== undefined && !known.isOver) {
      if (holder !== request) Reflect.set(holder, this.#slot, known)
      return false
    }
    const visit: Visit<Exchange> = { open, opened: null, isOver: false }
    Reflect.set(request, this.#slot, visit)
    if (holder !== request) Reflect.set(holder, this.#slot, visit)
    return true
  }

  /** Ends a visit: an adapter that is given the same request again begins another one. */
  end(holder: object): void {
    const visit = this.#visit(holder)
    if (visit !== undefined) visit.isOver = true
  }

  /**
   * Makes the session the holder's `session` property.
   *
   * @throws {ConfigurationError} If another library owns that property. Sharing it would make that library
   * save and end our session as its own.
   */
  expose(holder: object): void {
    if ('session' in holder && !isOwn(holder)) throw sessionIsTaken(this.#adapter)
    Object.defineProperty(holder, 'session', this.#accessor)
  }

  /** @throws {ConfigurationError} If the adapter has not seen this request. */
  of(holder: object): Session<Data> {
    const visit = this.#visit(holder)
    if (visit === undefined) {
      throw new ConfigurationError(
        `This request has no session yet: put ${this.#adapter}(sessions) before the code that uses it.`,
      )
    }
    visit.opened ??= visit.open()
    return visit.opened.session
  }

  /** The request's exchange; null if its session has not been asked for. */
  opened(holder: object): Exchange | null {
    return this.#visit(holder)?.opened ?? null
  }

  #visit(holder: object): Visit<Exchange> | undefined {
    return Reflect.get(holder, this.#slot)
  }
}

/**
 * The error for an application where another session library owns the property `session`.
 *
 * @param adapter - The name of the function that makes the adapter.
 */
export function sessionIsTaken(adapter: string): ConfigurationError {
  return new ConfigurationError(
    `${adapter}(sessions) found another library's session on this request (express-session, cookie-session, koa-session or @fastify/session, for example), and a request can have only one property \`session\`. Mount the two on different routes, or remove one of them: express-session, koa-session and @fastify/session can keep their sessions in a store of pg-sessions instead.`,
  )
}

/**
 * The error for code that assigns the property `session`, as cookie-session and koa-session have it: what it
 * assigns would be lost, and a user whom `session = null` should sign out would stay signed in.
 *
 * @param adapter - The name of the function that makes the adapter.
 */
export function sessionIsAssigned(adapter: string): ConfigurationError {
  return new ConfigurationError(
    `The property \`session\` of ${adapter} was assigned, which neither stores a value nor signs a user out. Write session.set('cart', …) to store a value, or await session.signOut() to sign the user out. If another session library assigns it, mount the two on different routes.`,
  )
}

/** Whether something else was put in the session's place, where a framework keeps it as a plain value. */
export function isReplaced(value: unknown): boolean {
  return !isSession(value)
}

/** Whether the property `session` comes from an adapter, or holds nothing yet. Calls no foreign getter. */
function isOwn(holder: object): boolean {
  let owner: object | null = holder
  while (owner !== null) {
    const property = Object.getOwnPropertyDescriptor(owner, 'session')
    if (property?.get !== undefined) return ownGetters.has(property.get)
    if (property !== undefined) return isFree(property.value)
    owner = Object.getPrototypeOf(owner)
  }
  return true
}

/** Whether an adapter may put its session in the place of this value. */
export function isFree(value: unknown): boolean {
  return value === undefined || value === null || isSession(value)
}
