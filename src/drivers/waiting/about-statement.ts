/**
 * Whether an error is about the statement alone: its data, its text, its locks. After any other error the
 * drivers discard the connection. That includes a server that has become read-only (a new connection may
 * find the new primary), one that has lost track of prepared statements, a transaction left open, and what
 * another role or a time limit refuses: other code may have set that on the connection (`set role`).
 *
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export function isAboutStatement(error: unknown): boolean {
  const code = (error as { readonly code?: unknown } | null)?.code
  if (typeof code !== 'string' || ABOUT_CONNECTION.has(code)) return false
  return /^(?:2[123]|4[024]|55|P0)[0-9A-Z]{3}$/.test(code)
}

/** duplicate_prepared_statement and insufficient_privilege. */
const ABOUT_CONNECTION: ReadonlySet<string> = new Set(['42P05', '42501'])
