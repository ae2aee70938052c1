import type { NewSession, Precondition, SessionTimes } from '../../store/session-store.ts'
import { type Operation, operation } from '../operation.ts'
import { packTimes, readTimes, TIME_COLUMNS } from '../session-columns.ts'
import type { TableNames } from '../table-names.ts'
import { insertEntries, insertNewSessions } from './new-session.ts'
import { giveGuard, giveNewSession, guardTypes, newSessionTypes } from './session-parameters.ts'
import { liveAndOwned } from './session-sql.ts'

interface Replacement {
  readonly ended: Precondition
  readonly successor: NewSession
}

/** Ends a live session and begins another; null when it was gone. */
export function replaceOperation({
  session,
  sessionData,
}: TableNames): Operation<Replacement, SessionTimes | null> {
  return operation({
    name: 'replace',
    effect: 'once',
    parameters: { ...guardTypes, ...newSessionTypes },
    give: ({ ended, successor }: Replacement) => ({
      ...giveGuard(ended),
      ...giveNewSession(successor),
    }),
    sql: ({ id, user, ...given }) => ({
      // Its entries go by the cascade, which sees what other requests wrote meanwhile.
      ended: `
        delete from ${session} as s
        where ${liveAndOwned(id, user)}
        returning s.id`,
      created: `
        ${insertNewSessions(session, { ...given, from: 'from ended' })}
        returning ${TIME_COLUMNS}`,
      written: insertEntries(sessionData, given, 'created'),
      answer: `select ${packTimes('created')} as packed from created`,
    }),
    packed: (answer) => (answer.isAtEnd ? null : readTimes(answer)),
  })
}
