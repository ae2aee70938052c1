import type { TableNames } from '../table-names.ts'
import { ENTRIES, list, STATE } from './fragments.ts'

/** Reading a session with its entries. */
export function loadStatements({
  session,
  sessionData,
}: TableNames): Record<'load' | 'load_many', string> {
  return {
    // Served by both primary keys. A dead session answers too, so that expiry can be told from guessing.
    load: `
      select ${STATE}, user_id, (
          select ${ENTRIES}
          from ${sessionData}
          where session_id = $1::text::uuid
        ) as entries
      from ${session}
      where id = $1::text::uuid`,

    load_many: `
      select ${STATE}, user_id, (
          select ${ENTRIES}
          from ${sessionData}
          where session_id = ${session}.id
        ) as entries
      from ${session}
      where id = any (${list(1, 'uuid')})`,
  }
}
