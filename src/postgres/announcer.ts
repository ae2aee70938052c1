import { realTime } from '../real-time.ts'
import type { OnHint } from '../store/session-store.ts'
import { outsideRequests } from '../telemetry/request-context.ts'
import type { Operation } from './operation.ts'
import { sqlStateOf } from './sql-state.ts'
import type { StatementRunner } from './statement-runner.ts'

/** Announced instead of an id: any session may have ended. */
export const ANY_SESSION = ''

/** What is announced beside the id of a session that a sign-in beyond its user's cap has ended. */
const EVICTED = ' evicted'

/** Announces that sessions were evicted: first so, and then as releases that know no reasons understand it. */
export function evictions(ids: readonly string[]): readonly string[] {
  return ids.flatMap((id) => [`${id}${EVICTED}`, id])
}

/** Reads an announcement. */
export function readAnnouncement(message: string): Parameters<OnHint> {
  if (message === ANY_SESSION) return [null]
  return message.endsWith(EVICTED) ? [message.slice(0, -EVICTED.length), 'evicted'] : [message]
}

/** Notifications that one statement sends. */
const MOST_AT_ONCE = 1000

/** Undefined function, feature not supported, no privilege: it will be refused the next time too. */
const FUTILE: ReadonlySet<string> = new Set(['42883', '0A000', '42501'])

/**
 * Tells all processes that listen which sessions have ended or passed to another user.
 *
 * No caller waits for it, and a failed announcement is dropped: a listener also polls. Announcements that
 * wait at the same moment share a statement. Only public ids go out.
 */
export class Announcer {
  readonly #runner: StatementRunner
  readonly #operation: Operation<readonly string[], unknown>
  readonly #waiting = new Set<string>()
  #sending: Promise<void> | null = null
  #isFutile = false

  constructor(runner: StatementRunner, operation: Operation<readonly string[], unknown>) {
    this.#runner = runner
    this.#operation = operation
  }

  /** Whether the server has refused an announcement for good. */
  get isFutile(): boolean {
    return this.#isFutile
  }

  announce(ids: readonly string[]): void {
    if (this.#isFutile || ids.length === 0) return
    for (const id of ids) this.#waiting.add(id)
    this.#sending ??= outsideRequests(() => this.#sendAll()).finally(() => {
      this.#sending = null
    })
  }

  /** Resolves once nothing waits to be announced. */
  async settled(): Promise<void> {
    while (this.#sending !== null) await this.#sending
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.size > 0 && !this.#isFutile) {
      // Sessions whose ends shared a statement are announced in the same turn of the event loop.
      await new Promise((resolve) => realTime.setImmediate(resolve))
      const ids = [...this.#waiting].slice(0, MOST_AT_ONCE)
      for (const id of ids) this.#waiting.delete(id)
      await this.#send(ids)
    }
  }

  async #send(ids: readonly string[]): Promise<void> {
    try {
      await this.#runner.ask(this.#operation, ids)
    } catch (error) {
      this.#isFutile = FUTILE.has(sqlStateOf(error) ?? '')
    }
  }
}
