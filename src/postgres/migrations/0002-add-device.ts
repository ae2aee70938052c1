/**
 * 2: what a sign-in says of its device.
 *
 * What: the nullable column `device` of `session`.
 *
 * Why: a list of a user's sessions means nothing to people without a name for each. In the row rather than
 * in an entry, so that the list reads it in the statement that it sends anyway; in no index, and read by no load.
 *
 * Locks: ACCESS EXCLUSIVE on `session`, for as long as changing the catalog takes. No row is rewritten or read.
 *
 * The release before works on: it names its columns, and leaves this one null.
 *
 * To apply beforehand: run what `pg-sessions sql` prints.
 */
import type { TableNames } from '../table-names.ts'
import { createSessions } from './0001-create-sessions.ts'
import type { Migration } from './migration.ts'

export const addDevice: Migration = {
  version: 2,
  name: 'add-device',
  columns: {
    ...createSessions.columns,
    session: [...createSessions.columns.session, 'device jsonb'],
  },
  sql: ({ session }: TableNames) => /* sql */ `alter table ${session} add column device jsonb;

comment on column ${session}.device is 'What the sign-in said of its device: a label for lists. Null if nothing.';
`,
}
