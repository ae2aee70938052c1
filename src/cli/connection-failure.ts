import {
  ConfigurationError,
  type SessionError,
  StoreError,
  StoreUnavailableError,
} from '../errors.ts'
import type { DatabaseAddress } from './database-address.ts'
import { printable } from './plain-text.ts'

/** What a client's error says, as far as it is read here. */
interface ConnectError {
  readonly message: string
  readonly code: string
}

/** Codes of Node for a certificate that it does not trust. */
const CERTIFICATE = /^(SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_|CERT_|ERR_TLS_CERT_)/

/** Says why no connection came about and what to do, and nothing of the password. */
export function connectionFailure(
  error: unknown,
  address: DatabaseAddress,
  timeout: number,
): SessionError {
  const read = readError(error)
  return (
    networkFailure(read, address, timeout) ??
    credentialsFailure(read, address) ??
    tlsFailure(read, address) ??
    refusal(read, address)
  )
}

function networkFailure(
  { message, code }: ConnectError,
  { shown, host, source }: DatabaseAddress,
  timeout: number,
): SessionError | undefined {
  const unreachable = (problem: string, advice: string): SessionError =>
    new StoreUnavailableError(`${problem} ${advice}`, 'none')
  switch (code) {
    case 'ECONNREFUSED':
      return unreachable(
        `The database could not be reached: no server accepts connections at ${shown} (ECONNREFUSED).`,
        `Start PostgreSQL there, or correct host and port in ${source}.`,
      )
    case 'ENOENT':
      return unreachable(
        `The database could not be reached: there is no socket of PostgreSQL at ${shown} (ENOENT).`,
        `Start PostgreSQL, or correct host and port in ${source}.`,
      )
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return unreachable(
        `The database could not be reached: the host name ${host} is not known (${code}).`,
        `Correct the host in ${source}, or check the DNS of this machine.`,
      )
    case '57P03':
      return unreachable(
        `The server at ${shown} refuses connections: ${message}.`,
        'Try again later.',
      )
    default:
      break
  }
  if (/timeout/i.test(message) || code === 'ETIMEDOUT') {
    return unreachable(
      `The database could not be reached: ${shown} did not answer within ${timeout / 1000} s.`,
      `Check host and port in ${source} and the firewall, or raise --timeout.`,
    )
  }
  if (code.startsWith('E') && !CERTIFICATE.test(code)) {
    return unreachable(
      `The database could not be reached at ${shown} (${code}).`,
      `Check host and port in ${source} and the network.`,
    )
  }
  return undefined
}

function credentialsFailure(
  { message, code }: ConnectError,
  { shown, user, database, source }: DatabaseAddress,
): SessionError | undefined {
  if (code === '28P01') {
    return new StoreError(
      `PostgreSQL at ${shown} refused the password of user ${printable(user)}. Correct user and password in ${source}, PGPASSWORD or ~/.pgpass.`,
      { sqlState: code },
    )
  }
  if (/password must be a(?: non-empty)? string/.test(message)) {
    return new ConfigurationError(
      `PostgreSQL at ${shown} asks for a password of user ${printable(user)}, and none is set. Add it to ${source}, PGPASSWORD or ~/.pgpass.`,
    )
  }
  if (code === '3D000') {
    return new StoreError(
      `There is no database named ${printable(database)} on the server of ${shown}. Correct the database in ${source}, or create it: createdb ${printable(database)}.`,
      { sqlState: code },
    )
  }
  return undefined
}

function tlsFailure(
  { message, code }: ConnectError,
  { shown, source }: DatabaseAddress,
): SessionError | undefined {
  if (/does not support SSL/.test(message)) {
    return new ConfigurationError(
      `The server at ${shown} does not offer TLS, and ${source} asks for it. Switch TLS on at the server, or write sslmode=disable if the network is trusted.`,
    )
  }
  if (CERTIFICATE.test(code)) {
    return new ConfigurationError(
      `The certificate of the server at ${shown} is not trusted (${code}). Name its root certificate with sslrootcert in ${source}.`,
    )
  }
  if (code === '28000' && /no encryption|SSL off/.test(message)) {
    return new ConfigurationError(
      `The server at ${shown} takes encrypted connections only. Add sslmode=require to ${source}.`,
    )
  }
  return undefined
}

function refusal({ message, code }: ConnectError, { shown }: DatabaseAddress): SessionError {
  if (code.startsWith('53')) {
    return new StoreUnavailableError(
      `The server at ${shown} has no free connection: ${printable(message)}. Try again later, close connections, or raise the limit (max_connections, or the connection limit of the role or database).`,
      'none',
      { sqlState: code },
    )
  }
  const isSqlState = /^[0-9A-Z]{5}$/.test(code)
  const reason = isSqlState ? `${printable(message)} (SQLSTATE ${code})` : code || 'no reason given'
  return new StoreError(
    `PostgreSQL at ${shown} did not let this program in: ${reason}. Check the connection settings and pg_hba.conf of the server.`,
    isSqlState ? { sqlState: code } : {},
  )
}

/** Node tries every address of a host name and throws all failures as one error. */
function readError(error: unknown): ConnectError {
  const first = error instanceof AggregateError ? error.errors[0] : error
  const { message, code } = Object(first) as { message?: unknown; code?: unknown }
  return {
    message: typeof message === 'string' ? message : '',
    code: typeof code === 'string' ? code : '',
  }
}
