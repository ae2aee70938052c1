import {
  ConfigurationError,
  isSessionError,
  type SessionError,
  StoreUnavailableError,
} from '../errors.ts'
import { classifyDatabaseError } from '../postgres/sql-state.ts'

/** Which statement failed is for logs; on a command line it is noise. */
const STATEMENT = / \(statement '[^']*'\)/

/** A failure in two lines. */
export interface Failure {
  readonly code: string
  readonly problem: string
  /** What to do; undefined when the command's help says it best. */
  readonly advice: string | undefined
  /** The command was asked wrongly; asking again will not help. */
  readonly isUsage: boolean
}

/**
 * Says what happened and what to do, without a stack.
 *
 * @param address - Where the database was looked for, as a person may see it.
 */
export function describeFailure(error: unknown, address: string): Failure {
  const failure = isSessionError(error) ? error : classifyDatabaseError(error, { name: 'cli' })
  const [problem, advice] = splitSentences(failure.message.replace(STATEMENT, ''))
  const isUsage = failure instanceof ConfigurationError
  return { code: failure.code, problem, advice: adviceFor(failure, address) ?? advice, isUsage }
}

function adviceFor(failure: SessionError, address: string): string | undefined {
  if (!(failure instanceof StoreUnavailableError)) return undefined
  return `Check that PostgreSQL runs at ${address} and that this machine may connect to it, then try again.`
}

/** The messages of this package say what happened first and what to do after it. */
function splitSentences(message: string): [problem: string, advice: string | undefined] {
  const end = message.search(/(?<=\.) (?=[A-Z])/)
  return end < 0 ? [message, undefined] : [message.slice(0, end), message.slice(end + 1)]
}
