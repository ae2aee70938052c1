import { type ErrorExplanation, explainNodeError } from '../../postgres/driver.ts'
import { factsOf, isSqlState } from './client-facts.ts'
import { explainPoolerFailure } from './pooler-failure.ts'
import { explainStartupFailure, isStartupFailure } from './startup-failure.ts'

/** What a client says without a code of Node's or an SQLSTATE: its own codes, or its whole messages. */
export interface ClientWords {
  /** Of statements that never left. */
  readonly neverSent: ReadonlySet<string>
  /** Of statements that may have reached the server. */
  readonly cutOff: ReadonlySet<string>
  /** Of statements that never left, since the application has closed the client. */
  readonly closed?: ReadonlySet<string>
}

/** Where a driver's connections lead, as far as it may be shown. */
export interface Surroundings {
  /** Host, port and database. */
  readonly server: string
  /** The setting of the client from which startup parameters come. */
  readonly startupOption: string
}

/** Explains an error of a client; undefined for one that its SQLSTATE explains, or that says nothing. */
export function explainWith(
  { neverSent, cutOff, closed }: ClientWords,
  surroundings: () => Surroundings,
): (error: unknown) => ErrorExplanation | undefined {
  return (error) => {
    const facts = factsOf(error)
    if (closed?.has(facts.message) === true) {
      const { server } = surroundings()
      return {
        reason: facts.message,
        server,
        outcome: 'none',
        kind: 'unreachable',
        advice: CLOSED,
      }
    }
    if (isStartupFailure(error)) return explainStartupFailure(error, surroundings())
    const pooler = explainPoolerFailure(facts, () => surroundings().server)
    if (pooler !== undefined) return pooler
    const { code, message, isFromServer } = facts
    if (isFromServer || isSqlState(code)) return undefined
    const { server } = surroundings()
    const word = code ?? message
    const shared = { reason: message || word, server, ...(code === undefined ? {} : { code }) }
    if (neverSent.has(word)) return { ...shared, outcome: 'none', kind: 'unreachable' }
    if (cutOff.has(word)) return { ...shared, outcome: 'unknown', kind: 'lost' }
    const explanation = explainNodeError(error)
    return explanation && { ...explanation, ...shared }
  }
}

const CLOSED =
  'The application has closed it: keep it open for as long as the sessions are in use, and shut down with `await sessions.close()` before it.'

/** Writes down where a client connects to: `db.example:5432, database "shop"`. */
export function describeServer(
  host: string | undefined,
  port: number | undefined,
  database: string | undefined,
): string {
  const where =
    host?.includes('/') || port === undefined
      ? (host ?? 'localhost')
      : `${host ?? 'localhost'}:${port}`
  return database === undefined ? where : `${where}, database "${database}"`
}
