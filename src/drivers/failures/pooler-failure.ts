import type { ErrorExplanation } from '../../postgres/driver.ts'
import type { ClientFacts } from './client-facts.ts'

/**
 * What PgBouncer says of a statement that it has handed to no server: it waited in the pooler's queue.
 * @see https://www.pgbouncer.org/config.html
 */
const NEVER_HANDED_ON: readonly (readonly [words: RegExp, advice: string])[] = [
  [
    /^query_wait_timeout$/,
    'All connections of PgBouncer to the server were in use: raise `default_pool_size`, or end transactions sooner.',
  ],
  [
    /^(?:server login has been failing|server_login_retry|pgbouncer cannot connect to server|client_login_timeout)/,
    'PgBouncer cannot log in to the server: its log says why.',
  ],
]

/** Explains an error of a pooler in whose queue a statement has waited in vain; undefined for any other. */
export function explainPoolerFailure(
  { code, message }: ClientFacts,
  server: () => string,
): ErrorExplanation | undefined {
  if (code !== '08P01') return undefined
  const found = NEVER_HANDED_ON.find(([words]) => words.test(message))
  if (found === undefined) return undefined
  const [, advice] = found
  return { outcome: 'none', kind: 'unreachable', reason: message, code, server: server(), advice }
}
