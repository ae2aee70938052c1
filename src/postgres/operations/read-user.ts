import type { StoredSession } from '../../store/session-store.ts'
import { type Operation, operation } from '../operation.ts'
import { text } from '../parameter-types.ts'
import { packListed, readListed } from '../session-columns.ts'
import type { TableNames } from '../table-names.ts'
import { packEntries, readEntries } from './packed-entries.ts'

/** Reads all that is stored of a user, dead sessions included, the oldest first. */
export function readUser({
  session,
  sessionData,
}: TableNames): Operation<string, readonly StoredSession[]> {
  return operation({
    name: 'read_user',
    effect: 'none',
    parameters: { user: text },
    give: (user: string) => ({ user }),
    // Served by the partial index on user_id.
    sql: ({ user }) => ({
      answer: `
        select ${packListed('s')} || ${packEntries(`${sessionData} where session_id = s.id`)} as packed
        from ${session} as s
        where s.user_id = ${user}
        order by s.id`,
    }),
    packed(answer) {
      const found: StoredSession[] = []
      while (!answer.isAtEnd) {
        found.push({ ...readListed(answer), entries: readEntries(answer)?.entries ?? [] })
      }
      return found
    },
  })
}
