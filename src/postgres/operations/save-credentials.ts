import type { SaveResult, SessionChange } from '../../store/session-store.ts'
import type { SharedOperation } from '../batcher.ts'
import { type Operation, operation } from '../operation.ts'
import { bytes, duration, list, textsOrNull } from '../parameter-types.ts'
import { TIME_COLUMNS } from '../session-columns.ts'
import type { TableNames } from '../table-names.ts'
import {
  changeCredentials,
  credentialTypes,
  giveCredentials,
  isGranted,
  packSaved,
  readSaved,
} from './credential-change.ts'
import { saveManyCredentials } from './save-many-credentials.ts'
import {
  changeTypes,
  giveChange,
  giveGuard,
  guardTypes,
  lifetimeTypes,
  sizeOfEntries,
} from './session-parameters.ts'
import { changeEntries, liveAndOwned } from './session-sql.ts'

/** Changes token, user or lifetime of a live session, together with its entries. Callers can share the statement. */
export function saveCredentialsOperation(
  names: TableNames,
): SharedOperation<SessionChange, SaveResult> {
  const single = saveOne(names, 'once')
  return {
    single: () => single,
    batch: saveManyCredentials(names),
    sessionOf: ({ id }) => id,
    isExclusive: true,
    sizeOf: ({ written }) => sizeOfEntries(written),
  }
}

/** The same by statements that no other call shares. */
export interface SaveCredentialsAlone {
  readonly once: Operation<SessionChange, SaveResult>
  /** For renewals. */
  readonly again: Operation<SessionChange, SaveResult>
}

export function saveCredentialsAlone(names: TableNames): SaveCredentialsAlone {
  return { once: saveOne(names, 'once'), again: saveOne(names, 'idempotent') }
}

/** Sent again it finds its own token in force. Entries could undo what others wrote in between. */
export function isRenewalAlone({ credentials, written, deleted }: SessionChange): boolean {
  return credentials?.token?.grace !== undefined && written.length + deleted.length === 0
}

function saveOne(
  names: TableNames,
  effect: 'once' | 'idempotent',
): Operation<SessionChange, SaveResult> {
  const { session, sessionData } = names
  return operation({
    name: 'save_credentials',
    effect,
    parameters: {
      ...guardTypes,
      ...lifetimeTypes,
      ...changeTypes(names),
      ...credentialTypes,
      shown: list(bytes),
      tags: textsOrNull,
      grace: duration,
    },
    give: (change: SessionChange) => {
      const { token, signIn } = change.credentials ?? {}
      return {
        ...giveGuard(change),
        ...change.lifetime,
        ...giveChange(change),
        ...giveCredentials(change),
        shown: token?.from ?? [],
        tags: signIn?.tags ?? null,
        grace: token?.grace?.duration,
      }
    },
    sql: (given) => ({
      // Distributed engines refuse `now()` within `case`, and of a change they refuse its sums.
      asked: `
        select now() as now, ${given.shown} as shown, ${given.tags} as tags,
          now() + ${given.idle} as idle_until, now() + ${given.purge} as purge_until,
          now() + ${given.grace} as grace_until,
          case when ${given.signIn} is not null then now() end as signed_in_at`,
      live: `
        update ${session} as s
        set ${changeCredentials(given)}
        from asked
        where ${liveAndOwned(given)} and ${isGranted(given)}
        returning ${TIME_COLUMNS}, s.secret_hash, s.sign_ins`,
      ...changeEntries(sessionData, given),
      answer: `
        select ${packSaved(given.token)} as packed
        from live`,
    }),
    packedRow: (answer) => (answer.isAtEnd ? { status: 'gone' } : readSaved(answer)),
  })
}
