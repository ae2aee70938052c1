import type { TokenPrecondition } from '../../store/session-store.ts'
import { type Operation, operation } from '../operation.ts'
import { bytes, list } from '../parameter-types.ts'
import type { TableNames } from '../table-names.ts'
import { type FoundUser, packUser, readUserRow, type UserRowSql } from '../user/user-row.ts'
import { giveGuard, guardTypes } from './session-parameters.ts'
import { liveAndOwned, opensTo } from './session-sql.ts'

/** Reads the user of a session again, if the session lives, has the same user, and the token works; else null. */
export function loadUserOperation(
  { session }: TableNames,
  rows: UserRowSql,
): Operation<TokenPrecondition, FoundUser | null> {
  return operation({
    name: 'load_user',
    effect: 'none',
    parameters: { ...guardTypes, hashes: list(bytes) },
    give: (guard: TokenPrecondition) => ({ ...giveGuard(guard), hashes: guard.secretHashes }),
    sql: ({ id, user, version, hashes }) => ({
      answer: `
        select ${packUser(rows, 's.user_id')} as packed
        from ${session} as s
        where ${liveAndOwned({ id, user, version })} and ${opensTo(hashes)}`,
    }),
    packed: (answer) => (answer.isAtEnd ? null : readUserRow(answer)),
  })
}
