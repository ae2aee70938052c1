import { ConfigurationError, SessionError, StoreUnavailableError } from '../errors.ts'
import type { Duration } from '../options/duration.ts'
import { duration, type OptionTable } from '../options/option.ts'
import { readOptions } from '../options/read-options.ts'
import { realTime } from '../real-time.ts'
import { Deadline } from '../store/deadline.ts'
import type { SessionStore, StoreCheck } from '../store/session-store.ts'

/** Options of `sessions.check`. */
export interface HealthOptions {
  /** How long the check may take. Defaults to `'2s'`: a probe of Kubernetes gives up after one second unless told otherwise. */
  readonly deadline?: Duration
}

/** Whether sessions can be served now. Nothing in it is secret. */
export interface SessionsHealth {
  /** Whether sessions can be read and written. */
  readonly ok: boolean
  /** What is wrong, what follows, and what to do; empty if nothing is. */
  readonly problems: readonly HealthProblem[]
  /** How long the check took, waiting for a connection included. */
  readonly milliseconds: number
  /**
   * Milliseconds by which the database's clock is ahead of this process's; null if it was not read. Timeouts
   * go by the database's clock, so a difference does no harm to them.
   */
  readonly clockDifference: number | null
}

/** Something that keeps sessions from being served. */
export interface HealthProblem {
  /** The code of an error in docs/errors.md, or `READ_ONLY` or `MISSING_RIGHTS`. */
  readonly code: string
  readonly message: string
}

/** A store that cannot be checked may take longer to get ready than a probe waits. */
const late = (): Error =>
  new StoreUnavailableError('The store was not ready in time. Nothing was written.', 'none', {
    statement: 'ready',
  })

const TABLE: OptionTable<{ deadline: number }> = { deadline: duration('2s') }

/** @throws {ConfigurationError} An option is unknown or wrong. A failure of the database is an answer. */
export async function checkHealth(
  store: Pick<SessionStore, 'ready' | 'check'>,
  options: HealthOptions | undefined,
): Promise<SessionsHealth> {
  const deadline = new Deadline(readOptions('check', TABLE, options).deadline)
  const start = realTime.now()
  const answer = (
    problems: readonly HealthProblem[],
    state: StoreCheck | null,
  ): SessionsHealth => ({
    ok: problems.length === 0,
    problems,
    milliseconds: Math.round(realTime.now() - start),
    clockDifference: state === null ? null : Math.round(state.time - Date.now()),
  })
  try {
    if (store.check === undefined) {
      await deadline.race(store.ready(), late)
      return answer([], null)
    }
    const state = await store.check({ deadline })
    return answer(problemsOf(state), state)
  } catch (error) {
    if (!(error instanceof SessionError) || error instanceof ConfigurationError) throw error
    return answer([{ code: error.code, message: error.message }], null)
  }
}

function problemsOf({ isReadOnly, missingRights }: StoreCheck): HealthProblem[] {
  const problems: HealthProblem[] = []
  if (isReadOnly) {
    problems.push({
      code: 'READ_ONLY',
      message:
        'The server takes no writes: it is a standby, or default_transaction_read_only is on. Connect to the primary, for instance by target_session_attrs=read-write.',
    })
  }
  if (missingRights.length > 0) {
    problems.push({
      code: 'MISSING_RIGHTS',
      message: `The role of this connection lacks ${missingRights.join(', ')}. Grant them; docs/schema.md has the statements.`,
    })
  }
  return problems
}
