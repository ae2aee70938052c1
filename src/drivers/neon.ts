import { UnsupportedError } from '../errors.ts'
import { adviceForClient, whatWasGiven } from '../options/known-clients.ts'
import { type Driver, type ErrorExplanation, explainNodeError } from '../postgres/driver.ts'
import { factsOf, isSqlState } from './failures/client-facts.ts'
import { within } from './waiting/deadline.ts'
import { checkedRows } from './waiting/wrong-answer.ts'

export { DeadlineError } from './waiting/deadline.ts'

/** What `fromNeon` passes beside a statement. */
export interface NeonQueryOptions {
  readonly arrayMode: false
  readonly fullResults: false
  readonly types: { getTypeParser(): (text: string) => string }
  readonly fetchOptions: { readonly signal: AbortSignal }
}

/** What `fromNeon` needs of the function that `neon(url)` of `@neondatabase/serverless` makes. */
export interface NeonLike {
  query(text: string, values: (string | null)[], options: NeonQueryOptions): PromiseLike<unknown>
}

/**
 * Makes a driver of Neon's HTTP function, for runtimes without TCP and functions that should open no connection.
 *
 * Each statement is one HTTP request, which any number of requests may share. There is no connection that lasts: the
 * tables must be there (`npx pg-sessions migrate`), and `sessions.watch` polls. Your type parsers do not reach what
 * sessions hold.
 *
 * @throws {TypeError} It was given something else than such a function.
 * @example
 * ```js
 * import { neon } from '@neondatabase/serverless'
 * import { createSessions } from 'pg-sessions'
 * import { fromNeon } from 'pg-sessions/neon'
 *
 * const sql = neon(process.env.DATABASE_URL)
 * const sessions = createSessions({ database: fromNeon(sql), migrate: 'off' })
 * ```
 */
export function fromNeon(sql: NeonLike): Driver {
  const { query, transaction } = Object(sql) as Record<string, unknown>
  if (
    typeof query !== 'function' ||
    typeof transaction !== 'function' ||
    'connect' in Object(sql)
  ) {
    const advice =
      adviceForClient(sql) ??
      `${whatWasGiven(sql)} Write fromNeon(neon(url)). For Neon's Pool write fromPg(pool).`
    throw new TypeError(
      `fromNeon needs the function of @neondatabase/serverless 1 or newer. ${advice}`,
    )
  }
  return {
    name: 'neon',
    lends: false,
    explain,
    async query({ text, values }, { timeout, check }) {
      const giving = new AbortController()
      const fetchOptions = { signal: giving.signal }
      const answer = sql.query(text, [...values], { ...asText, fetchOptions })
      const rows = await within(timeout, 'read', Promise.resolve(answer), {
        giveUp: () => giving.abort(),
      })
      // Each answer comes on a request of its own: there is nothing to discard.
      return checkedRows(rows as never, check, () => undefined)
    },
    async withConnection() {
      throw new UnsupportedError(
        "Neon's HTTP function has no connection that lasts, which creating or upgrading tables needs. Run `npx pg-sessions migrate` when you deploy, and set migrate: 'check' or 'off'.",
      )
    },
  }
}

/** The function may have been made with other options. */
const asText = {
  arrayMode: false,
  fullResults: false,
  types: { getTypeParser: () => String },
} as const

/** Says what it means that a request failed. What the server says of a statement has an SQLSTATE. */
function explain(error: unknown): ErrorExplanation | undefined {
  const known = explainNodeError(error)
  if (known !== undefined) return known
  const { code, message } = factsOf(error)
  if (isSqlState(code)) return undefined
  const { sourceError } = Object(error) as { sourceError?: { cause?: unknown } }
  const network = explainNodeError(sourceError?.cause)
  if (network !== undefined) return network
  const status = Number(/^Server error \(HTTP status (\d+)\)/.exec(message)?.[1])
  if (Number.isNaN(status)) {
    const isKnown = sourceError !== undefined
    return isKnown ? { outcome: 'unknown', kind: 'lost', reason: message } : undefined
  }
  const reason = `Neon answered with HTTP status ${status}`
  if (status === 401 || status === 403) return { outcome: 'none', kind: 'refused', reason }
  if (status === 404) return { outcome: 'none', kind: 'misconfigured', reason }
  if (status === 429) return { outcome: 'none', kind: 'unreachable', reason }
  return { outcome: 'unknown', kind: 'lost', reason }
}
