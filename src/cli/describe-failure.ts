import { ConfigurationError, isSessionError } from '../errors.ts'
import { classifyDatabaseError } from '../postgres/sql-state.ts'

/** Which statement failed is for logs; on a command line it is noise. */
const STATEMENT = / \(statement '[^']*'\)/

/** A failure in two lines. */
export interface Failure {
  readonly code: string
  readonly problem: string
  /** What to do; undefined when the command's help says it best. */
  readonly advice: string | undefined
  /** The command line or a setting is wrong; running it again will not help. */
  readonly isUsage: boolean
}

/** Says what happened and what to do, without a stack. */
export function describeFailure(error: unknown): Failure {
  const failure = isSessionError(error) ? error : classifyDatabaseError(error, { name: 'cli' })
  const [problem, advice] = splitSentences(failure.message.replace(STATEMENT, ''))
  const isUsage = failure instanceof ConfigurationError
  return { code: failure.code, problem, advice, isUsage }
}

/** The messages of this package say what happened first and what to do after it. */
function splitSentences(message: string): [problem: string, advice: string | undefined] {
  const end = message.search(/(?<=[.?]) (?=[A-Z])/)
  return end < 0 ? [message, undefined] : [message.slice(0, end), message.slice(end + 1)]
}
