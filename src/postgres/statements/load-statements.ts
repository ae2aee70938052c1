import type { TableNames } from '../table-names.ts'
import { list, stateAndEntries } from './fragments.ts'

/** Reading a session with its entries. */
export function loadStatements({
  session,
  sessionData,
}: TableNames): Record<'load' | 'load_many', string> {
  return {
    // Served by both primary keys. A dead session answers too, so that expiry can be told from guessing.
    load: `
      select ${stateAndEntries(sessionData, '$1::text::uuid')}, user_id
      from ${session}
      where id = $1::text::uuid`,

    load_many: `
      select ${stateAndEntries(sessionData, `${session}.id`)}, user_id
      from ${session}
      where id = any (${list(1, 'uuid')})`,
  }
}
