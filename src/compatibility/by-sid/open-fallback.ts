import type { Codec } from '../../codec/codec.ts'
import { ConfigurationError } from '../../errors.ts'
import { ConnectPgSimpleFallback } from '../../import/connect-pg-simple/fallback.ts'
import type { OldTableOptions } from '../../import/connect-pg-simple/old-table.ts'
import type { ReadUserId } from '../../import/connect-pg-simple/read-row.ts'
import {
  checkExpressStore,
  type ExpressStoreLike,
} from '../../import/express-store/express-store.ts'
import { ExpressStoreFallback } from '../../import/express-store/express-store-fallback.ts'
import { passportUserId } from '../../import/passport-user.ts'
import { type Option, option, unchecked } from '../../options/option.ts'
import { group } from '../../options/read-options.ts'
import type { Driver } from '../../postgres/driver.ts'
import { resolveTableNames, type TableNameOptions } from '../../postgres/table-names.ts'
import type { Sealing } from '../../sealing/sealing.ts'
import type { SessionPolicy } from '../../session/session-policy.ts'
import type { Entry, SessionStore } from '../../store/session-store.ts'
import type { OlderSessions } from './older-sessions.ts'
import { sidIdentity } from './sid-identity.ts'

/** What a fallback shares with the store that asks it. */
export interface FallbackSurroundings {
  readonly driver: Driver
  readonly store: SessionStore
  readonly sealing: Sealing | null
  /** Milliseconds that a call may take. */
  readonly deadline: number
  readonly tables: TableNameOptions
  readonly codec: Codec
  readonly policy: SessionPolicy
  readonly userId: ReadUserId | null | undefined
}

const name = (): Option<string | undefined> => unchecked<string>('a name')

/** Where sessions were before: a table of connect-pg-simple, or another store. */
export type FallbackSetting = OldTableOptions & {
  /** A store for express-session, such as `RedisStore` of connect-redis. Instead of a table. */
  readonly store?: ExpressStoreLike | undefined
}

const store = option<ExpressStoreLike | undefined>(
  'a store of express-session',
  undefined,
  (value, name) => checkExpressStore(name, value),
)

export const fallbackOption: Option<FallbackSetting | undefined> = {
  ...group<FallbackSetting>({ table: name(), schema: name(), timeZone: name(), store }),
  fallback: undefined,
}

/**
 * Opens the table or the store whose sessions move here with their users' next requests.
 *
 * @throws {ConfigurationError} An option of it is wrong.
 */
export function openFallback(
  fallback: FallbackSetting | undefined,
  { driver, store, sealing, deadline, tables, codec, policy, userId }: FallbackSurroundings,
): OlderSessions | null {
  if (fallback === undefined) return null
  const { store: oldStore, ...table } = fallback
  const system = oldStore === undefined ? 'connect-pg-simple' : 'the fallback store'
  const shared = {
    driver,
    deadline,
    names: resolveTableNames(tables),
    ready: () => store.ready(),
    seal: async (id: string, entries: readonly Entry[]) => sealing?.sealAll(id, entries) ?? entries,
    identify: sidIdentity,
    codec,
    userId: userId ?? passportUserId,
    onUnreadable(sessionId: string | null, problem: string) {
      const message = `a session of ${system} cannot move here, so its user has none`
      policy.log.warn({ sessionId, problem }, message)
    },
    idleTimeout: policy.idleTimeout,
    absoluteTimeout: policy.absoluteTimeout,
  }
  if (oldStore === undefined) return new ConnectPgSimpleFallback({ ...shared, table })
  if (Object.keys(table).some((name) => table[name as keyof OldTableOptions] !== undefined)) {
    throw new ConfigurationError('fallback takes a store or a table, not both.')
  }
  return new ExpressStoreFallback({
    ...shared,
    store: oldStore,
    onLeftover(sessionId, error) {
      const message = 'a session has moved here and could not be removed from the fallback store'
      policy.log.warn({ sessionId, err: error }, message)
    },
  })
}
