/**
 * 1: the tables.
 *
 * What: `session` with one row a session, `session_data` with one row an entry, and the view
 * `session_entry` that shows entries as text.
 *
 * Why: entries are rows of their own, so that two requests which change different keys both keep
 * their changes. The session's row is updated at every noted access; of the columns such an update
 * moves none is indexed, and a fifth of each page stays free for it, so it is a heap-only update
 * (https://www.postgresql.org/docs/current/storage-hot.html). `purge_at` carries the index instead:
 * it moves rarely.
 *
 * Locks: none on anything that exists before.
 *
 * To apply beforehand: run what `pg-sessions sql` prints.
 */
import { derivedName, quoteIdentifier, type TableNames } from '../table-names.ts'
import type { Migration } from './migration.ts'

export const createSessions: Migration = {
  version: 1,
  name: 'create-sessions',
  columns: {
    session: [
      'id uuid',
      'secret_hash bytea',
      'previous_hash bytea',
      'previous_until timestamp with time zone',
      'sealed_successor bytea',
      'user_id text',
      'sign_ins integer',
      'created_at timestamp with time zone',
      'authenticated_at timestamp with time zone',
      'last_access_at timestamp with time zone',
      'token_issued_at timestamp with time zone',
      'expires_at timestamp with time zone',
      'absolute_expires_at timestamp with time zone',
      'purge_at timestamp with time zone',
      'own_idle_ms bigint',
    ],
    sessionData: ['session_id uuid', 'key bytea', 'value bytea'],
  },
  sql: (names) => `${createTables(names)}\n${createView(names)}\n${describe(names)}`,
}

function createTables({ raw, session, sessionData }: TableNames): string {
  const ofSession = (suffix: string): string => quoteIdentifier(derivedName(raw.session, suffix))
  const ofData = (suffix: string): string => quoteIdentifier(derivedName(raw.sessionData, suffix))
  return /* sql */ `create table ${session} (
  id uuid not null,
  secret_hash bytea not null,
  previous_hash bytea,
  previous_until timestamptz,
  sealed_successor bytea,
  user_id text,
  sign_ins int not null default 0,
  created_at timestamptz not null,
  authenticated_at timestamptz,
  last_access_at timestamptz not null,
  token_issued_at timestamptz not null,
  expires_at timestamptz not null,
  absolute_expires_at timestamptz not null,
  purge_at timestamptz not null,
  own_idle_ms bigint,
  constraint ${ofSession('pkey')} primary key (id),
  constraint ${ofSession('secret_hash_check')} check (octet_length(secret_hash) = 32),
  constraint ${ofSession('previous_hash_check')} check (octet_length(previous_hash) = 32),
  constraint ${ofSession('own_idle_ms_check')} check (own_idle_ms > 0),
  constraint ${ofSession('absolute_expires_at_check')} check (expires_at <= absolute_expires_at),
  constraint ${ofSession('purge_at_check')} check (purge_at >= expires_at)
) with (fillfactor = 80);

create index ${ofSession('purge_at_idx')} on ${session} (purge_at);

create index ${ofSession('user_id_idx')} on ${session} (user_id) where user_id is not null;

create table ${sessionData} (
  session_id uuid not null,
  key bytea not null,
  value bytea not null,
  constraint ${ofData('pkey')} primary key (session_id, key),
  constraint ${ofData('session_id_fkey')} foreign key (session_id)
    references ${session} (id) on delete cascade
);
`
}

/**
 * The function is qualified, since a function of the same name with better fitting arguments, in a
 * schema of the search path, would otherwise be taken in its place (CVE-2018-1058).
 */
function createView({ sessionData, sessionEntry }: TableNames): string {
  return /* sql */ `create view ${sessionEntry} as
select
  session_id,
  pg_catalog.convert_from(key, 'UTF8') as key,
  pg_catalog.convert_from(value, 'UTF8') as value
from ${sessionData};
`
}

function describe({ session, sessionData, sessionEntry }: TableNames): string {
  return /* sql */ `comment on table ${session} is 'One row a session, live or waiting to be purged.';
comment on column ${session}.id is 'The session''s public handle (UUIDv7). It grants nothing and may be logged.';
comment on column ${session}.secret_hash is 'Hash of the secret half of the token. The token itself is stored nowhere.';
comment on column ${session}.previous_hash is 'Hash of the secret before the last renewal, good until previous_until.';
comment on column ${session}.previous_until is 'End of the grace period of the token before the last renewal.';
comment on column ${session}.sealed_successor is 'The token in force, encrypted with the one before it for its holder; null once it was shown.';
comment on column ${session}.user_id is 'The user whom the session belongs to; null while nobody is signed in.';
comment on column ${session}.sign_ins is 'How often a user has signed in. Requests from before the last time write nothing.';
comment on column ${session}.created_at is 'When the session began.';
comment on column ${session}.authenticated_at is 'When the user last proved who they are; null while nobody has.';
comment on column ${session}.last_access_at is 'The last access that was noted. Accesses soon after it are not.';
comment on column ${session}.token_issued_at is 'When the token in force was issued.';
comment on column ${session}.expires_at is 'The deadline in force, the earlier of idle and absolute. From then on the session is dead.';
comment on column ${session}.absolute_expires_at is 'The deadline that no access moves; infinity for none.';
comment on column ${session}.purge_at is 'A coarse bound, never before expires_at, after which purge looks at the session.';
comment on column ${session}.own_idle_ms is 'Idle timeout of this session alone, in milliseconds; null when it follows the settings.';

comment on table ${sessionData} is 'One row an entry of a session.';
comment on column ${sessionData}.session_id is 'The session that the entry belongs to and ends with.';
comment on column ${sessionData}.key is 'The key as the codec wrote it; UTF-8 text under the JSON codec.';
comment on column ${sessionData}.value is 'The value as the codec wrote it; JSON text under the JSON codec.';

comment on view ${sessionEntry} is 'Entries as text, for people. Readable under the JSON codec only.';
`
}
