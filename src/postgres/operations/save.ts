import type { SaveResult, SessionChange } from '../../store/session-store.ts'
import type { AnswerBytes } from '../answer-bytes.ts'
import type { SharedOperation } from '../batcher.ts'
import { type Operation, operation } from '../operation.ts'
import { boolean, duration, integer, list, text, uuid } from '../parameter-types.ts'
import { packTimes, readTimes, TIME_COLUMNS, timesOf } from '../session-columns.ts'
import type { TableNames } from '../table-names.ts'
import {
  changesByIdTypes,
  changeTypes,
  giveChange,
  giveChangesById,
  giveGuard,
  giveVersion,
  guardTypes,
  lifetimeTypes,
  sizeOfEntries,
} from './session-parameters.ts'
import {
  changeEntries,
  changeEntriesById,
  isOwned,
  liveAndOwned,
  touchColumns,
} from './session-sql.ts'

/** Changes the entries of a live session, and touches it unless that was done a moment ago. */
export function saveOperation(names: TableNames): SharedOperation<SessionChange, SaveResult> {
  const touching = saveOne(names)
  const alone = saveNoted(names)
  return {
    single: ({ isTouchDue = true }) => (isTouchDue ? touching : alone),
    batch: saveMany(names),
    sessionOf: ({ id }) => id,
    isExclusive: true,
    sizeOf: ({ written }) => sizeOfEntries(written),
  }
}

function saveOne(names: TableNames): Operation<SessionChange, SaveResult> {
  const { session, sessionData } = names
  return operation({
    name: 'save',
    effect: 'once',
    parameters: { ...guardTypes, ...lifetimeTypes, ...changeTypes(names) },
    give: (change: SessionChange) => ({
      ...giveGuard(change),
      ...change.lifetime,
      ...giveChange(change),
    }),
    sql: ({ id, user, version, idle, purge, ...change }) => ({
      live: `
        update ${session} as s
        set ${touchColumns(idle, purge)}
        where ${liveAndOwned({ id, user, version })}
        returning ${TIME_COLUMNS}`,
      ...changeEntries(sessionData, { id, ...change }),
      answer: `select ${packTimes('live')} as packed from live`,
    }),
    packedRow: readSaved,
  })
}

function saveNoted(names: TableNames): Operation<SessionChange, SaveResult> {
  const { session, sessionData } = names
  return operation({
    name: 'save_noted',
    effect: 'once',
    parameters: { ...guardTypes, ...changeTypes(names) },
    give: (change: SessionChange) => ({ ...giveGuard(change), ...giveChange(change) }),
    sql: ({ id, user, version, ...change }) => ({
      // The lock keeps the session from ending, or passing to another user, before its entries are written.
      live: `
        select ${TIME_COLUMNS}
        from ${session} as s
        where ${liveAndOwned({ id, user, version })}
        for no key update`,
      ...changeEntries(sessionData, { id, ...change }),
      answer: `select ${packTimes('live')} as packed from live`,
    }),
    packedRow: readSaved,
  })
}

type Saves = readonly (SaveResult | null)[]

/** Never waits: a session that another statement holds locked is left out, and saved alone. */
function saveMany({
  session,
  sessionData,
}: TableNames): Operation<readonly SessionChange[], Saves> {
  return operation({
    name: 'save_many',
    effect: 'once',
    parameters: {
      ids: list(uuid),
      users: list(text),
      versions: list(integer),
      idles: list(duration),
      purges: list(duration),
      areNoted: list(boolean),
      ...changesByIdTypes,
    },
    give: (changes: readonly SessionChange[]) => ({
      ids: changes.map(({ id }) => id),
      users: changes.map(({ userId }) => userId),
      versions: changes.map(({ version }) => giveVersion(version)),
      idles: changes.map(({ lifetime }) => lifetime.idle),
      purges: changes.map(({ lifetime }) => lifetime.purge),
      areNoted: changes.map(({ isTouchDue = true }) => !isTouchDue),
      ...giveChangesById(changes),
    }),
    sql: (given) => ({
      live: `
        select s.id, c.idle, c.purge, c.is_noted, ${timesOf('s')}
        from unnest(
            ${given.ids}, ${given.users}, ${given.versions}, ${given.idles}, ${given.purges},
            ${given.areNoted}
          ) as c (id, user_id, version, idle, purge, is_noted)
          join ${session} as s on s.id = c.id
        where ${isOwned({ user: 'c.user_id', version: 'c.version' })} and s.expires_at > now()
        for no key update of s skip locked`,
      touched: `
        update ${session} as s
        set ${touchColumns('live.idle', 'live.purge')}
        from live
        where s.id = live.id and not live.is_noted
        returning s.id, ${timesOf('s')}`,
      ...changeEntriesById(sessionData, given),
      answer: `
        select uuid_send(id) || ${packTimes('saved')} as packed
        from (
            select id, ${TIME_COLUMNS} from touched
            union all
            select id, ${TIME_COLUMNS} from live where is_noted
          ) as saved`,
    }),
    // A session that is missing from the answer is gone, or locked: alone it turns out.
    packed(answer, changes) {
      const results = new Map<string, SaveResult>()
      while (!answer.isAtEnd) results.set(answer.uuid(), readSaved(answer))
      return changes.map(({ id }) => results.get(id) ?? null)
    },
  })
}

function readSaved(answer: AnswerBytes): SaveResult {
  if (answer.isAtEnd) return { status: 'gone' }
  return { status: 'saved', times: readTimes(answer), rotated: false }
}
