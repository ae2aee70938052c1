import { ConfigurationError } from '../errors.ts'
import type { Session } from './exchange.ts'

/** What an adapter makes of a request. */
interface Opened<Data extends object> {
  readonly session: Session<Data>
}

/** How a request's session is opened, and what that gave. */
interface Visit<Exchange> {
  readonly open: () => Exchange
  opened: Exchange | null
}

/**
 * The sessions of an adapter's requests: one for each, opened when it is first asked for.
 *
 * They are kept on the request itself. Several adapters in one application each keep their own there,
 * and the plain `session` property belongs to the one that exposed it last.
 */
export class RequestSessions<Data extends object, Exchange extends Opened<Data> = Opened<Data>> {
  readonly #adapter: string
  readonly #slot = Symbol('pg-sessions')
  /** All requests share one accessor, so that the engine sees one shape of request. */
  readonly #accessor: PropertyDescriptor

  /** @param adapter - The call that users forget when a request has no session. */
  constructor(adapter: string) {
    const sessionOf = (request: object): Session<Data> => this.of(request)
    this.#adapter = adapter
    this.#accessor = {
      configurable: true,
      get(this: object) {
        return sessionOf(this)
      },
    }
  }

  /** Keeps how to open a request's session. False, and nothing kept, when it has been kept before. */
  keep(request: object, open: () => Exchange): boolean {
    if (Object.hasOwn(request, this.#slot)) return false
    const visit: Visit<Exchange> = { open, opened: null }
    Reflect.set(request, this.#slot, visit)
    return true
  }

  /** Makes the session the request's `session` property. */
  expose(request: object): void {
    Object.defineProperty(request, 'session', this.#accessor)
  }

  /** @throws {ConfigurationError} The adapter has not seen this request. */
  of(request: object): Session<Data> {
    const visit = this.#visit(request)
    if (visit === undefined) {
      throw new ConfigurationError(
        `This request has no session yet: put ${this.#adapter} before whatever uses it.`,
      )
    }
    visit.opened ??= visit.open()
    return visit.opened.session
  }

  /** What opening the request's session gave, if anybody has asked for it. */
  opened(request: object): Exchange | null {
    return this.#visit(request)?.opened ?? null
  }

  #visit(request: object): Visit<Exchange> | undefined {
    return Reflect.get(request, this.#slot)
  }
}
