import type { EntryRequest, FetchResult } from '../../store/session-store.ts'
import { type Operation, operation } from '../operation.ts'
import { bytes, list } from '../parameter-types.ts'
import type { TableNames } from '../table-names.ts'
import { packEntries, readEntries } from './packed-entries.ts'
import { giveGuard, guardTypes } from './session-parameters.ts'
import { liveAndOwned, opensTo } from './session-sql.ts'

/** Reads entries that a load left out, if the session lives, has the same user, and the token works. */
export function fetchOperation({
  session,
  sessionData,
}: TableNames): Operation<EntryRequest, FetchResult> {
  return operation({
    name: 'fetch',
    effect: 'none',
    parameters: { ...guardTypes, hashes: list(bytes), keys: list(bytes) },
    give: (request: EntryRequest) => ({
      ...giveGuard(request),
      hashes: request.secretHashes,
      keys: request.keys,
    }),
    sql: ({ id, user, version, hashes, keys }) => ({
      answer: `
        select ${packEntries(`${sessionData} where session_id = ${id} and key = any (${keys})`)} as packed
        from ${session} as s
        where ${liveAndOwned({ id, user, version })} and ${opensTo(hashes)}`,
    }),
    packedRow(answer) {
      if (answer.isAtEnd) return { status: 'gone' }
      return { status: 'found', entries: readEntries(answer)?.entries ?? [] }
    },
  })
}
