import type { Codec } from '../../codec/codec.ts'
import { ConnectPgSimpleFallback } from '../../import/connect-pg-simple/fallback.ts'
import type { OldTableOptions } from '../../import/connect-pg-simple/old-table.ts'
import type { ReadUserId } from '../../import/connect-pg-simple/read-row.ts'
import { passportUserId } from '../../import/passport-user.ts'
import { type Option, unchecked } from '../../options/option.ts'
import { group } from '../../options/read-options.ts'
import type { Driver } from '../../postgres/driver.ts'
import { resolveTableNames, type TableNameOptions } from '../../postgres/table-names.ts'
import type { SessionPolicy } from '../../session/session-policy.ts'
import type { SessionStore } from '../../store/session-store.ts'
import type { OlderSessions } from './older-sessions.ts'
import { sidIdentity } from './sid-identity.ts'

/** What a fallback shares with the store that asks it. */
export interface FallbackSurroundings {
  readonly driver: Driver
  readonly store: SessionStore
  /** Milliseconds that a call may take. */
  readonly deadline: number
  readonly tables: TableNameOptions
  readonly codec: Codec
  readonly policy: SessionPolicy
  readonly userId: ReadUserId | null | undefined
}

const name = (): Option<string | undefined> => unchecked<string>('a name')

export const fallbackOption: Option<OldTableOptions | undefined> = {
  ...group<OldTableOptions>({ table: name(), schema: name(), timeZone: name() }),
  fallback: undefined,
}

/**
 * Opens the table of connect-pg-simple whose sessions move here with their users' next requests.
 *
 * @throws {ConfigurationError} An option of it is wrong.
 */
export function openFallback(
  table: OldTableOptions | undefined,
  { driver, store, deadline, tables, codec, policy, userId }: FallbackSurroundings,
): OlderSessions | null {
  if (table === undefined) return null
  return new ConnectPgSimpleFallback({
    driver,
    deadline,
    names: resolveTableNames(tables),
    ready: () => store.ready(),
    table,
    identify: sidIdentity,
    codec,
    userId: userId ?? passportUserId,
    onUnreadable(sessionId, problem) {
      const message = 'a session of connect-pg-simple cannot move here, so its user has none'
      policy.log.warn({ sessionId, problem }, message)
    },
    idleTimeout: policy.idleTimeout,
    absoluteTimeout: policy.absoluteTimeout,
  })
}
