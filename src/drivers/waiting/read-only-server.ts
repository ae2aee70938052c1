import { realTime } from '../../real-time.ts'

/** Milliseconds. A server that stays read-only refuses every write, and not each may cost all connections. */
const PAUSE = 1_000

/**
 * Remembers when a server was found to be read-only, as after a failover. Connections from before lead to a
 * server that takes no writes any more, while a new one may find the new primary.
 */
export class ReadOnlyServer {
  #since = Number.NEGATIVE_INFINITY

  /** Notes an error of a statement. Returns whether it says that older connections are useless. */
  note(error: unknown): boolean {
    const now = realTime.now()
    if (!isReadOnly(error) || now - this.#since < PAUSE) return false
    this.#since = now
    return true
  }

  /** Whether a connection that was first used at this time is one from before. */
  isBefore(firstUse: number): boolean {
    return firstUse < this.#since
  }
}

/** read_only_sql_transaction: https://www.postgresql.org/docs/current/errcodes-appendix.html */
function isReadOnly(error: unknown): boolean {
  return (Object(error) as { readonly code?: unknown }).code === '25006'
}
