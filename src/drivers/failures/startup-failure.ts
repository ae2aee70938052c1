import type { ErrorExplanation } from '../../postgres/driver.ts'
import { processWide } from '../../process-wide.ts'
import { factsOf, isSqlState } from './client-facts.ts'

/** Two copies of this package may share connections. */
const startupFailures = processWide('startup-failures', () => new WeakSet<object>())

/** Remembers that an error arose before its connection was ready, so that no statement was sent. */
export function markStartupFailure(error: unknown): void {
  if (typeof error === 'object' && error !== null) startupFailures.add(error)
}

export function isStartupFailure(error: unknown): boolean {
  return typeof error === 'object' && error !== null && startupFailures.has(error)
}

/**
 * Explains why there is no connection. Nothing was sent, whatever the error says: that is known from when
 * it arose and not from its words. The words only choose the advice.
 */
export function explainStartupFailure(
  error: unknown,
  { server, startupOption }: { readonly server: string; readonly startupOption: string },
): ErrorExplanation {
  const { message, code, syscall } = factsOf(error)
  const sqlState = isSqlState(code) ? code : undefined
  const shared = {
    outcome: 'none' as const,
    reason: message || (code ?? 'the client gave no reason'),
    ...(code === undefined ? {} : { code }),
    server,
  }
  if (syscall === 'open' || code === 'EISDIR') {
    const advice = 'Correct the path, for example of sslrootcert, sslcert or sslkey.'
    return {
      ...shared,
      kind: 'misconfigured',
      reason: `A file of the connection's settings cannot be read: ${message}`,
      advice,
    }
  }
  if (/password must be a (?:non-empty )?string|^SASL: .*password/i.test(message)) {
    const reason = 'The server asks for a password, and none is set'
    const advice = 'Set it in the connection string, as `password`, or as PGPASSWORD.'
    return { ...shared, kind: 'misconfigured', reason, advice }
  }
  const parameter = /unsupported startup parameter(?: in options)?:? "?([\w.]+)/i.exec(message)?.[1]
  if (parameter !== undefined) {
    const advice = `The connection pooler takes no startup parameter ${parameter}: remove ${parameter} from ${startupOption}, or add it to \`ignore_startup_parameters\` of PgBouncer.`
    return { ...shared, kind: 'unreachable', advice }
  }
  if (
    /no encryption|SSL (?:connection )?(?:is )?required|SSL\/TLS required|insecure connection/i.test(
      message,
    )
  ) {
    const advice =
      'The server takes encrypted connections only: turn TLS on, for example with `sslmode=require` or `ssl`.'
    return { ...shared, kind: sqlState === undefined ? 'misconfigured' : 'refused', advice }
  }
  if (/does not support SSL|before secure TLS connection was established/i.test(message)) {
    const advice = 'Turn TLS on at the server, or connect without it (`sslmode=disable`).'
    return { ...shared, kind: 'unreachable', advice }
  }
  if (/^(?:SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|CERT_|ERR_TLS_CERT_)/.test(code ?? '')) {
    const advice =
      "The server's certificate is not trusted: give the client its authority's certificate (`ssl.ca`, or sslrootcert), and connect by the name that it is made out to."
    return { ...shared, kind: 'unreachable', advice }
  }
  if (sqlState === '42704' || sqlState === '22023') {
    const advice = `The server does not know this setting, or not this value: correct it in ${startupOption}.`
    return { ...shared, kind: 'misconfigured', advice }
  }
  if (sqlState !== undefined && /^(?:28|3D|42)/.test(sqlState)) {
    const advice = 'Check the user, password and database name.'
    return { ...shared, kind: 'refused', advice }
  }
  return { ...shared, kind: 'unreachable' }
}
