/**
 * Whether an error is about the statement alone: its data, its text, its locks. After any other error the
 * drivers discard the connection. That includes a server that has become read-only (a new connection may
 * find the new primary), one that has lost track of prepared statements, and a transaction left open.
 *
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export function isAboutStatement(error: unknown): boolean {
  const code = (error as { readonly code?: unknown } | null)?.code
  if (typeof code !== 'string' || code === DUPLICATE_PREPARED_STATEMENT) return false
  return /^(?:2[123]|4[024]|55|P0)[0-9A-Z]{3}$/.test(code) || code === QUERY_CANCELED
}

const DUPLICATE_PREPARED_STATEMENT = '42P05'
const QUERY_CANCELED = '57014'
