import { ConfigurationError } from '../../errors.ts'
import { shown } from '../../options/shown.ts'
import type { Row } from '../driver.ts'
import { KNOWN_TRANSACTIONS, type TransactionQuery } from './known-transactions.ts'

/** A transaction that the application has begun. */
export interface ApplicationTransaction {
  /** Whether it runs statements after its end as well, where each would commit by itself. Only the server knows then. */
  readonly outlivesItsEnd: boolean
  /**
   * Runs a statement, without a name on the server.
   *
   * @throws {ConfigurationError} If the client says that no transaction is open, so the statement would commit
   *   by itself. It was not sent.
   */
  query(text: string, values: readonly (string | null)[]): Promise<readonly Row[]>
}

/**
 * Recognizes the transaction of a client or an ORM by its shape.
 *
 * @throws {ConfigurationError} If it is none, or the client itself rather than a transaction of it.
 */
export function applicationTransaction(client: unknown): ApplicationTransaction {
  const { query, openness, outlivesItsEnd } = findQuery(client)
  return {
    outlivesItsEnd,
    async query(text, values) {
      const problem = openness()
      if (problem !== undefined) throw refusal(problem)
      const answer: unknown = await query(text, [...values])
      const rows: unknown = Array.isArray(answer) ? answer : Object(answer).rows
      if (Array.isArray(rows)) return rows as readonly Row[]
      throw new ConfigurationError(
        `The client or function that sessions.in was given answered a statement with ${shown(answer)}, and not with rows or { rows }. Roll the transaction back.`,
      )
    },
  }
}

interface Found {
  readonly query: TransactionQuery
  /** Says why no transaction is open; undefined when one is, or when the client does not tell. */
  openness(): string | undefined
  readonly outlivesItsEnd: boolean
}

function findQuery(client: unknown): Found {
  const isClient = (typeof client === 'object' || typeof client === 'function') && client !== null
  if (!isClient) throw refusal('It was given no client.')
  const known = KNOWN_TRANSACTIONS.find(({ has }) => has.every((name) => name in client))
  if (known?.inner !== undefined) {
    const { inner, problem } = known
    const outer = (): string | undefined => problem?.(client as never)
    const trouble = outer()
    if (trouble !== undefined) throw refusal(trouble)
    const found = findQuery(inner(client as never))
    return { ...found, openness: () => outer() ?? found.openness() }
  }
  if (known?.ask !== undefined) {
    const { ask, problem, outlives } = known
    return {
      outlivesItsEnd: outlives?.(client as never) === true,
      query: (text, values) => ask(client as never, text, values),
      openness: () => problem?.(client as never),
    }
  }
  if (typeof client === 'function') {
    return {
      query: client as TransactionQuery,
      openness: () => undefined,
      outlivesItsEnd: true,
    }
  }
  throw refusal('It was given something else.')
}

function refusal(problem: string): ConfigurationError {
  return new ConfigurationError(
    `sessions.in takes a transaction that your client has begun, or a function (text, values) => rows that runs a statement in one. ${problem}`,
  )
}
