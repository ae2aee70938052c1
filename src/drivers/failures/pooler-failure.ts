import type { ErrorExplanation } from '../../postgres/driver.ts'
import type { ClientFacts } from './client-facts.ts'

/**
 * What PgBouncer says of a statement without effect: it waited in the pooler's queue and reached no server, or it began
 * a transaction, which the pooler's mode does not allow.
 * @see https://www.pgbouncer.org/config.html
 */
const WITHOUT_EFFECT: readonly (readonly [
  words: RegExp,
  kind: 'unreachable' | 'misconfigured',
  advice: string,
])[] = [
  [
    /^query_wait_timeout$/,
    'unreachable',
    'All connections of PgBouncer to the server were in use: raise `default_pool_size`, or end transactions sooner.',
  ],
  [
    /^(?:server login has been failing|server_login_retry|pgbouncer cannot connect to server|client_login_timeout)/,
    'unreachable',
    'PgBouncer cannot log in to the server: its log says why.',
  ],
  [
    /^transaction blocks not allowed in statement pooling mode$/,
    'misconfigured',
    'Migrations and maxPerUser need transactions: set `pool_mode = transaction` in PgBouncer.',
  ],
]

/** Explains an error of a pooler that let a statement have no effect; undefined for any other. */
export function explainPoolerFailure(
  { code, message }: ClientFacts,
  server: () => string,
): ErrorExplanation | undefined {
  if (code !== '08P01') return undefined
  const found = WITHOUT_EFFECT.find(([words]) => words.test(message))
  if (found === undefined) return undefined
  const [, kind, advice] = found
  return { outcome: 'none', kind, reason: message, code, server: server(), advice }
}
