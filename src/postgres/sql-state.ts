import {
  ConfigurationError,
  isSessionError,
  type Outcome,
  SchemaError,
  type SessionError,
  StoreError,
  type StoreErrorFacts,
  StoreUnavailableError,
} from '../errors.ts'
import { readClientError, ScrubbedError } from './client-error.ts'
import type { ErrorExplanation, Statement } from './driver.ts'
import { explanationOf } from './explanations.ts'

/**
 * Turns an error that a driver rejected with into an error of this package.
 *
 * `StoreUnavailableError` if trying again may help, `ConfigurationError` if a setting of the connection is
 * wrong, `SchemaError` if tables or columns are missing, `StoreError` for the rest. Of the client's error
 * only its name and codes survive, and the reason its driver gives. An error of this package passes through.
 *
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export function classifyDatabaseError(
  error: unknown,
  statement: Pick<Statement, 'name'>,
): SessionError {
  if (isSessionError(error)) return error
  const explanation = explanationOf(error)
  const sqlState = sqlStateOf(error)
  const about = {
    statement: statement.name,
    ...(sqlState === undefined ? {} : { sqlState }),
    cause: new ScrubbedError(readClientError(error), explanation?.reason ?? ''),
  }
  if (explanation !== undefined) return explainedError(explanation, statement.name, about)
  const trouble = sqlState === undefined ? undefined : serverTrouble(sqlState)
  if (trouble) {
    const message = `${trouble.problem} (statement '${statement.name}'). ${consequence(trouble.outcome)}`
    return new StoreUnavailableError(message, trouble.outcome, about)
  }
  return schemaError(sqlState) ?? new StoreError(refusal(statement.name, sqlState), about)
}

function explainedError(
  { kind, outcome, reason, code, server, advice }: ErrorExplanation,
  statement: string,
  about: StoreErrorFacts,
): SessionError {
  const sqlState = about.sqlState === undefined ? undefined : `SQLSTATE ${about.sqlState}`
  const shownCode = sqlState ?? (code !== undefined && !reason.includes(code) ? code : undefined)
  const where = [server === undefined ? undefined : `at ${server}`, shownCode]
    .filter(Boolean)
    .join('; ')
  const problem = `${PROBLEMS[kind]}${reason === '' ? '' : `: ${reason.replace(/\.$/, '')}`}${where === '' ? '' : ` (${where})`}`
  const hint = advice === undefined ? '' : ` ${advice}`
  if (kind === 'misconfigured') return new ConfigurationError(`${problem}.${hint}`)
  if (kind === 'refused')
    return new StoreError(`${problem} (statement '${statement}').${hint}`, about)
  const message = `${problem} (statement '${statement}').${hint} ${consequence(outcome, advice)}`
  return new StoreUnavailableError(message, outcome, about)
}

const PROBLEMS: Readonly<Record<ErrorExplanation['kind'], string>> = {
  unreachable: 'The database could not be reached',
  lost: 'The connection to the database was lost',
  late: 'The database did not answer in time',
  refused: 'The database does not let this client in',
  misconfigured: 'The database connection is misconfigured',
}

/** What has come of a call. If there is something to correct, waiting will not help. */
function consequence(outcome: Outcome, advice?: string): string {
  if (outcome === 'unknown') return 'Whether a change was applied is not known.'
  return advice === undefined
    ? 'Nothing was written; trying again later may help.'
    : 'Nothing was written.'
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

/** Whether the server refused a statement because of the tables or functions that it names (class 42). */
export function isWrongOfTables(error: unknown): boolean {
  return sqlStateOf(error)?.startsWith('42') === true
}

export function isForeignKeyViolation(error: unknown): boolean {
  return sqlStateOf(error) === '23503'
}

/**
 * Whether a failed statement may be sent again: `safe` when it surely was not applied, `unknown`
 * when it may have been, `no` when it would fail again. Takes a driver's error or a classified one.
 */
export function isRetryable(error: unknown): 'safe' | 'unknown' | 'no' {
  const sqlState = sqlStateOf(error)
  const explanation = explanationOf(error)
  const hasRun = explanation !== undefined || !NEVER_RAN.has(sqlState ?? '')
  if (!hasRun || isStalePlan(error)) return 'safe'
  const outcome = isSessionError(error)
    ? (error as { readonly outcome?: Outcome }).outcome
    : outcomeOf(explanation, sqlState)
  if (outcome === undefined) return 'no'
  return outcome === 'none' ? 'safe' : 'unknown'
}

function outcomeOf(
  explanation: ErrorExplanation | undefined,
  sqlState: string | undefined,
): Outcome | undefined {
  if (explanation === undefined) {
    return sqlState === undefined ? undefined : serverTrouble(sqlState)?.outcome
  }
  const { kind, outcome } = explanation
  return kind === 'refused' || kind === 'misconfigured' ? undefined : outcome
}

/**
 * Whether the server has rolled a statement back so that another transaction could go on: serialization_failure
 * and deadlock_detected.
 */
export function isCollision(error: unknown): boolean {
  const sqlState = sqlStateOf(error)
  return sqlState === '40001' || sqlState === '40P01'
}

/** A cached plan no longer fits its table. The server says so before it runs anything. */
function isStalePlan(error: unknown): boolean {
  const { code, routine } = Object(error) as { readonly code?: unknown; readonly routine?: unknown }
  return code === '0A000' && routine === 'RevalidateCachedQuery'
}

/** Why the database could not do it now, and whether it may have acted all the same. */
interface Trouble {
  readonly problem: string
  readonly outcome: Outcome
}

const UNREACHABLE: Trouble = { problem: 'The database could not be reached', outcome: 'none' }
const LOST: Trouble = { problem: 'The connection to the database was lost', outcome: 'unknown' }

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

/**
 * A statement is refused before it runs while its connection is in a failed transaction (25P02), or has a role
 * without the right to it (42501), which other code may have set.
 */
const NEVER_RAN: ReadonlySet<string> = new Set(['25P02', '26000', '42P05', '42501'])

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
    case '25P02':
      return ' The application has left a failed transaction open on this connection: end it with `rollback`.'
    case '42501':
      return ' Its role lacks a right: it needs USAGE on the schema of the session tables, and SELECT, INSERT, UPDATE and DELETE on them, USAGE on their sequences if they have any, and policies that allow these where row level security is on. If it has them, other code has changed the role on this connection: end that with `reset role`.'
    case '22P05':
      return " The database's encoding has no such character: a user's id or a device's label holds it. Keep the sessions in a database of the encoding UTF8."
    case '28000':
    case '28P01':
    case '3D000':
      return ' It does not let this client in: check the user, password and database name.'
    default:
      return CHANGED_TABLES.has(sqlState)
        ? ' The session tables are not as pg-sessions made them: a trigger, rule, constraint, column or type was added or changed. Compare them with what `npx pg-sessions sql` prints.'
        : ''
  }
}

/** What no statement meets on tables as they were made: a column, constraint or trigger of someone else refuses it. */
const CHANGED_TABLES: ReadonlySet<string> = new Set([
  ...['0A000', '23502', '23503', '23514', '23P01', '428C9', '42804', '42883', '42P10', '55000'],
  ...['P0001'],
])
