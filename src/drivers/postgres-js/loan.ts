import { DeadlineError } from '../waiting/deadline.ts'
import type { PostgresJsLike } from './client.ts'

/** The server or the network ended a connection while it was lent. */
export class ConnectionLostError extends Error {
  readonly code: string = 'ECONNRESET'

  constructor() {
    super('The connection was lost between two statements')
  }

  override get name(): string {
    return 'ConnectionLostError'
  }
}

/**
 * One use of a reserved connection.
 *
 * Postgres.js takes back a reserved connection that dies, and makes it anew for others. Whoever
 * still sends on it, or releases it, meets them there, or ends the process by an exception that
 * nobody can catch (porsager/postgres#1208). So a loan must know of the death before that.
 */
export class Loan {
  /** `late` once a statement was given up that the server may still be at. */
  #state: 'fit' | 'late' | 'dead' = 'fit'
  #death: unknown
  #underWay = 0
  readonly #loans: Set<Loan>

  constructor(sql: PostgresJsLike) {
    this.#loans = loansOf(sql)
    this.#loans.add(this)
  }

  /** Whether the connection is known to live and to owe no answer. */
  get idle(): boolean {
    return this.#state === 'fit' && this.#underWay === 0
  }

  async send<Answer>(statement: () => Promise<Answer>): Promise<Answer> {
    if (this.#state === 'dead') throw this.#death
    this.#underWay += 1
    try {
      return await statement()
    } catch (error) {
      if (error instanceof DeadlineError) this.#state = 'late'
      // Errors of the server have a severity; all others mean that the socket is gone.
      else if (!('severity' in (error as object))) this.#die(error)
      throw error
    } finally {
      this.#underWay -= 1
    }
  }

  /**
   * Hears that some connection of the client was closed. If it was this one, a statement under way
   * fails by itself; while there is none, nobody can tell, and the connection is not used again.
   */
  suspect(): void {
    if (this.#underWay === 0) this.#die(new ConnectionLostError())
  }

  end(): void {
    this.#loans.delete(this)
  }

  #die(error: unknown): void {
    this.#state = 'dead'
    this.#death = error
  }
}

const loans = new WeakMap<PostgresJsLike, Set<Loan>>()

/** The loans of one client, told of every connection that closes. */
function loansOf(sql: PostgresJsLike): Set<Loan> {
  const known = loans.get(sql)
  if (known) return known
  const current = new Set<Loan>()
  loans.set(sql, current)
  const { onclose } = sql.options
  sql.options.onclose = (connection) => {
    onclose?.(connection)
    for (const loan of current) loan.suspect()
  }
  return current
}
