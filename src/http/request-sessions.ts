import { ConfigurationError } from '../errors.ts'
import type { Session } from './exchange.ts'

/** How a request's session is opened, and the session once it has been. */
interface Visit<Data extends object> {
  readonly open: () => Session<Data>
  session: Session<Data> | null
}

/**
 * The sessions of an adapter's requests: one for each, opened when it is first asked for.
 *
 * They are kept on the request itself. Several adapters in one application each keep their own there,
 * and the plain `session` property belongs to the one that exposed it last.
 */
export class RequestSessions<Data extends object> {
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

  /** Keeps how to open a request's session. What an adapter that runs twice gives later is not used. */
  keep(request: object, open: () => Session<Data>): void {
    if (Object.hasOwn(request, this.#slot)) return
    const visit: Visit<Data> = { open, session: null }
    Object.assign(request, { [this.#slot]: visit })
  }

  /** Makes the session the request's `session` property. */
  expose(request: object): void {
    Object.defineProperty(request, 'session', this.#accessor)
  }

  /** @throws {ConfigurationError} The adapter has not seen this request. */
  of(request: object): Session<Data> {
    const visit: Visit<Data> | undefined = Reflect.get(request, this.#slot)
    if (visit === undefined) {
      throw new ConfigurationError(
        `This request has no session yet: put ${this.#adapter} before whatever uses it.`,
      )
    }
    visit.session ??= visit.open()
    return visit.session
  }
}
