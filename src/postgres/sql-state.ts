import {
  isSessionError,
  type Outcome,
  SchemaError,
  type SessionError,
  StoreError,
  StoreUnavailableError,
} from '../errors.ts'
import { type ClientErrorFacts, readClientError, ScrubbedError } from './client-error.ts'
import type { Statement } from './driver.ts'

/**
 * Turns whatever a driver threw into an error of this package.
 *
 * `StoreUnavailableError` when waiting may help, `SchemaError` when tables or columns are missing,
 * `StoreError` for the rest. Nothing of the client's error survives but its name and codes, and the
 * message of a lost connection; an error of this package passes through unchanged.
 *
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export function classifyDatabaseError(
  error: unknown,
  statement: Pick<Statement, 'name'>,
): SessionError {
  if (isSessionError(error)) return error
  const facts = readClientError(error)
  const sqlState = sqlStateOf(error)
  const trouble = troubleOf(facts, sqlState)
  const about = {
    statement: statement.name,
    ...(sqlState === undefined ? {} : { sqlState }),
    cause: new ScrubbedError(facts, sqlState === undefined && trouble ? facts.message : ''),
  }
  if (trouble) {
    const consequence =
      trouble.outcome === 'none'
        ? 'Nothing was written; trying again later may help.'
        : 'Whether a change was applied is not known.'
    const message = `${trouble.problem} (statement '${statement.name}'). ${consequence}`
    return new StoreUnavailableError(message, trouble.outcome, about)
  }
  return schemaError(sqlState) ?? new StoreError(refusal(statement.name, sqlState), about)
}

/** The SQLSTATE of a driver's error, or of what `classifyDatabaseError` made of it. */
export function sqlStateOf(error: unknown): string | undefined {
  if (error instanceof StoreError || error instanceof StoreUnavailableError) return error.sqlState
  const { code } = readClientError(error)
  // Every SQLSTATE has a digit; Node's five-letter codes, such as EPIPE, have none.
  return code !== undefined && /^(?=.*\d)[0-9A-Z]{5}$/.test(code) ? code : undefined
}

export function isUniqueViolation(error: unknown): boolean {
  return sqlStateOf(error) === '23505'
}

export function isForeignKeyViolation(error: unknown): boolean {
  return sqlStateOf(error) === '23503'
}

/**
 * Whether a failed statement may be sent again: `safe` when it surely was not applied, `unknown`
 * when it may have been, `no` when it would fail again. Takes a driver's error or a classified one.
 */
export function isRetryable(error: unknown): 'safe' | 'unknown' | 'no' {
  if (LOST_PREPARED_STATEMENT.has(sqlStateOf(error) ?? '')) return 'safe'
  const outcome =
    error instanceof StoreUnavailableError
      ? error.outcome
      : isSessionError(error)
        ? undefined
        : troubleOf(readClientError(error), sqlStateOf(error))?.outcome
  if (outcome === undefined) return 'no'
  return outcome === 'none' ? 'safe' : 'unknown'
}

/** Why the database could not be asked, and whether it may have acted all the same. */
interface Trouble {
  readonly problem: string
  readonly outcome: Outcome
}

const UNREACHABLE: Trouble = { problem: 'The database could not be reached', outcome: 'none' }
const LOST: Trouble = { problem: 'The connection to the database was lost', outcome: 'unknown' }
const LATE: Trouble = { problem: 'The database did not answer in time', outcome: 'unknown' }

function troubleOf(facts: ClientErrorFacts, sqlState: string | undefined): Trouble | undefined {
  return sqlState === undefined ? connectionTrouble(facts) : serverTrouble(sqlState)
}

/** Errors of Node's sockets and of the clients, which carry no SQLSTATE. */
function connectionTrouble({ code, syscall, message }: ClientErrorFacts): Trouble | undefined {
  if (syscall === 'connect' || syscall === 'getaddrinfo') return UNREACHABLE
  if (NEVER_SENT.has(code ?? message) || message.startsWith('SASL: ')) return UNREACHABLE
  if (code === 'ETIMEDOUT' || message === 'Query read timeout') return LATE
  return CUT_OFF.has(code ?? message) ? LOST : undefined
}

/** Codes, and messages of clients' errors without one, of statements that never left. */
const NEVER_SENT: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOTCONN',
  // postgres.js
  'CONNECT_TIMEOUT',
  'CONNECTION_ENDED',
  // pg
  'timeout exceeded when trying to connect',
  'timeout expired',
  'Connection terminated due to connection timeout',
  'Client has encountered a connection error and is not queryable',
  'Client was closed and is not queryable',
  'Cannot use a pool after calling end on the pool',
  'The server does not support SSL connections',
  'There was an error establishing an SSL connection',
  // PGlite
  'PGlite is closing',
  'PGlite is closed',
])

/** The same of statements that may have reached the server. */
const CUT_OFF: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_WRITE_AFTER_END',
  // postgres.js
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  // pg
  'Connection terminated',
  'Connection terminated unexpectedly',
])

/** Errors of the server that waiting may cure. All but the lost connections abort the statement. */
function serverTrouble(sqlState: string): Trouble | undefined {
  const aborted = (problem: string): Trouble => ({ problem, outcome: 'none' })
  switch (sqlState) {
    case '08001':
    case '08004':
      return UNREACHABLE
    case '25006':
      return aborted('The database takes no writes now: it is a standby, or set to read-only')
    case '40001':
    case '40P01':
      return aborted('The change collided with another one')
    case '40003':
    case '57P01':
    case '57P02':
      return LOST
    case '55P03':
      return aborted('Timed out waiting for a lock')
    case '57014':
      return aborted('The database stopped the statement, by its time limit or on request')
    case '25P03':
    case '25P04':
    case '57P05':
      return aborted('The database closed the connection by its own time limit')
    case '57P03':
      return aborted('The database is starting up or shutting down')
    default:
      if (sqlState.startsWith('08')) return LOST
      if (sqlState.startsWith('53')) {
        return aborted('The database is short of connections, memory or disk space')
      }
      return undefined
  }
}

function schemaError(sqlState: string | undefined): SchemaError | undefined {
  const fix = "Run `npx pg-sessions migrate`, or set migrate: 'auto'."
  switch (sqlState) {
    case '3F000':
    case '42P01':
      return new SchemaError('ERR_SCHEMA_MISSING', `The session tables are missing. ${fix}`)
    case '42703':
      return new SchemaError(
        'ERR_SCHEMA_OUTDATED',
        `The session tables lack a column that this release needs. ${fix}`,
      )
    default:
      return undefined
  }
}

/** invalid_sql_statement_name and duplicate_prepared_statement: neither got to run. */
const LOST_PREPARED_STATEMENT: ReadonlySet<string> = new Set(['26000', '42P05'])

function refusal(statement: string, sqlState: string | undefined): string {
  if (sqlState === undefined) return `The database client failed (statement '${statement}').`
  return `The database refused statement '${statement}' (SQLSTATE ${sqlState}).${advice(sqlState)}`
}

function advice(sqlState: string): string {
  if (LOST_PREPARED_STATEMENT.has(sqlState)) {
    return ' A connection pooler mixes up prepared statements: give the driver { prepare: false }.'
  }
  switch (sqlState) {
    case '42501':
      return ' Its role lacks a right: it needs USAGE on the schema of the session tables, and SELECT, INSERT, UPDATE and DELETE on them.'
    case '28000':
    case '28P01':
    case '3D000':
      return ' It does not let this client in: check the user, password and database name.'
    default:
      return ''
  }
}
