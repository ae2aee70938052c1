/**
 * 2: what an application says of a sign-in.
 *
 * What: nullable columns of `session` for the device, the tags, the administrator who acts as the user, and the
 * second factor; an index that finds sessions by a tag; and the view `session_entry` shows of a sealed value that
 * it is sealed, and with which key.
 *
 * Why: a list of a user's sessions means nothing to people without a name for each; an identity provider ends
 * sessions by a name of its own; support staff act as users; sensitive pages ask for a second factor. In the row
 * rather than in entries or tables of their own, so that it ends with the session, and the index holds tagged
 * sessions only: a touch stays heap-only with or without tags. Sealed values are no text, at which the view would fail.
 *
 * Locks: ACCESS EXCLUSIVE on `session`, for as long as building the index takes. It reads the table once, and
 * finds nothing to index: about a second for each gigabyte. No row is rewritten.
 *
 * The release before works on: it names its columns, and leaves these null.
 *
 * To apply beforehand: run what `pg-sessions sql` prints.
 */
import { derivedName, quoteIdentifier, type TableNames } from '../table-names.ts'
import { createSessions } from './0001-create-sessions.ts'
import type { Migration } from './migration.ts'

export const describeSignIns: Migration = {
  version: 2,
  name: 'describe-sign-ins',
  columns: {
    ...createSessions.columns,
    session: [
      ...createSessions.columns.session,
      'device jsonb',
      'tags text[]',
      'actor_id text',
      'actor_session uuid',
      'factor text',
      'elevated_at timestamp with time zone',
    ],
  },
  sql: ({
    raw,
    session,
    sessionData,
    sessionEntry,
  }: TableNames) => /* sql */ `alter table ${session}
  add column device jsonb,
  add column tags text[],
  add column actor_id text,
  add column actor_session uuid,
  add column factor text,
  add column elevated_at timestamptz;

create index ${quoteIdentifier(derivedName(raw.session, 'tags_idx'))} on ${session}
  using gin (tags) with (fastupdate = off) where tags is not null;

create or replace view ${sessionEntry} as
select
  session_id,
  pg_catalog.convert_from(key, 'UTF8') as key,
  case
    when pg_catalog.substr(value, 1, 5) = pg_catalog.decode('007365616c', 'hex')
    then 'sealed:' || pg_catalog.encode(pg_catalog.substr(value, 6, 8), 'hex')
    else pg_catalog.convert_from(value, 'UTF8')
  end as value
from ${sessionData};

comment on column ${session}.device is 'What the sign-in said of its device: a label for lists. Null if nothing.';
comment on column ${session}.tags is 'Names by which the application finds and ends sessions. Null if none.';
comment on column ${session}.actor_id is 'The administrator who acts as the user; null for the user''s own session.';
comment on column ${session}.actor_session is 'The administrator''s own session, without which this one is dead.';
comment on column ${session}.factor is 'The second factor that the user last proved; null if none since the sign-in.';
comment on column ${session}.elevated_at is 'When the user last proved it.';
`,
}
