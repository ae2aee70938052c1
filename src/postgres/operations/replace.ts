import type { NewSession, ReplaceResult, TokenPrecondition } from '../../store/session-store.ts'
import { type Operation, operation } from '../operation.ts'
import { bytes, list } from '../parameter-types.ts'
import { packTimes, readTimes, TIME_COLUMNS } from '../session-columns.ts'
import type { TableNames } from '../table-names.ts'
import { refuseKept } from './destroy.ts'
import { FIRST_VERSION, insertEntries, insertNewSessions } from './new-session.ts'
import {
  giveGuard,
  giveNewSession,
  giveNewSessionDetails,
  guardTypes,
  newSessionDetailTypes,
  newSessionTypes,
} from './session-parameters.ts'
import { isOwned, opensTo } from './session-sql.ts'

interface Replacement {
  readonly ended: TokenPrecondition
  readonly successor: NewSession
}

/** Ends a live session for a working token, and begins another. */
export function replaceOperation({
  session,
  sessionData,
}: TableNames): Operation<Replacement, ReplaceResult> {
  return operation({
    name: 'replace',
    effect: 'once',
    parameters: {
      ...guardTypes,
      hashes: list(bytes),
      ...newSessionTypes,
      ...newSessionDetailTypes,
    },
    give: ({ ended, successor }: Replacement) => ({
      ...giveGuard(ended),
      hashes: ended.secretHashes,
      ...giveNewSession(successor),
      ...giveNewSessionDetails(successor),
    }),
    sql: ({ id, user, version, hashes, ...given }) => ({
      // Locked first: of a session that another request has just ended or changed, this sees the latest.
      found: `
        select s.id, ${isOwned({ user, version })} and ${opensTo(hashes)} as is_held
        from ${session} as s
        where s.id = ${id} and s.expires_at > now()
        for update`,
      // Its entries go by the cascade, which sees what other requests wrote meanwhile.
      ended: `
        delete from ${session} as s
        using found
        where s.id = ${id} and found.is_held
        returning s.id`,
      created: `
        ${insertNewSessions(session, { ...given, from: 'from ended' })}
        returning ${TIME_COLUMNS}`,
      written: insertEntries(sessionData, given, 'created'),
      answer: `
        select boolsend(true) || ${packTimes('created')} as packed from created
        union all
        select boolsend(is_held) from found where not is_held or not exists (select from ended)`,
    }),
    packedRow(answer) {
      if (answer.isAtEnd) return { status: 'gone' }
      if (!answer.boolean()) return { status: 'superseded' }
      refuseKept(answer.isAtEnd)
      return { status: 'created', times: readTimes(answer), version: FIRST_VERSION }
    },
  })
}
