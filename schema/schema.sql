-- The tables of pg-sessions, version 0 to 2: all of it or, after an error, nothing.

begin;

create schema if not exists "sessions";

create table if not exists "sessions"."migration" (
  version int primary key,
  name text not null,
  applied_at timestamptz not null default now()
);
comment on table "sessions"."migration" is 'Which versions of the schema are in place.';

-- 1: create-sessions
insert into "sessions"."migration" (version, name)
values (1, 'create-sessions');

create table "sessions"."session" (
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
  constraint "session_pkey" primary key (id),
  constraint "session_secret_hash_check" check (octet_length(secret_hash) = 32),
  constraint "session_previous_hash_check" check (octet_length(previous_hash) = 32),
  constraint "session_own_idle_ms_check" check (own_idle_ms > 0),
  constraint "session_absolute_expires_at_check" check (expires_at <= absolute_expires_at),
  constraint "session_purge_at_check" check (purge_at >= expires_at)
) with (fillfactor = 80);

create index "session_purge_at_idx" on "sessions"."session" (purge_at);

create index "session_user_id_idx" on "sessions"."session" (user_id) where user_id is not null;

create table "sessions"."session_data" (
  session_id uuid not null,
  key bytea not null,
  value bytea not null,
  constraint "session_data_pkey" primary key (session_id, key),
  constraint "session_data_session_id_fkey" foreign key (session_id)
    references "sessions"."session" (id) on delete cascade
);

create view "sessions"."session_entry" as
select
  session_id,
  pg_catalog.convert_from(key, 'UTF8') as key,
  pg_catalog.convert_from(value, 'UTF8') as value
from "sessions"."session_data";

comment on table "sessions"."session" is 'One row a session, live or waiting to be purged.';
comment on column "sessions"."session".id is 'The session''s public handle (UUIDv7). It grants nothing and may be logged.';
comment on column "sessions"."session".secret_hash is 'Hash of the secret half of the token. The token itself is stored nowhere.';
comment on column "sessions"."session".previous_hash is 'Hash of the secret before the last renewal, good until previous_until.';
comment on column "sessions"."session".previous_until is 'End of the grace period of the token before the last renewal.';
comment on column "sessions"."session".sealed_successor is 'The token in force, encrypted with the one before it for its holder; null once it was shown.';
comment on column "sessions"."session".user_id is 'The user whom the session belongs to; null while nobody is signed in.';
comment on column "sessions"."session".sign_ins is 'How often a user has signed in. Requests from before the last time write nothing.';
comment on column "sessions"."session".created_at is 'When the session began.';
comment on column "sessions"."session".authenticated_at is 'When the user last proved who they are; null while nobody has.';
comment on column "sessions"."session".last_access_at is 'The last access that was noted. Accesses soon after it are not.';
comment on column "sessions"."session".token_issued_at is 'When the token in force was issued.';
comment on column "sessions"."session".expires_at is 'The deadline in force, the earlier of idle and absolute. From then on the session is dead.';
comment on column "sessions"."session".absolute_expires_at is 'The deadline that no access moves; infinity for none.';
comment on column "sessions"."session".purge_at is 'A coarse bound, never before expires_at, after which purge looks at the session.';
comment on column "sessions"."session".own_idle_ms is 'Idle timeout of this session alone, in milliseconds; null when it follows the settings.';

comment on table "sessions"."session_data" is 'One row an entry of a session.';
comment on column "sessions"."session_data".session_id is 'The session that the entry belongs to and ends with.';
comment on column "sessions"."session_data".key is 'The key as the codec wrote it; UTF-8 text under the JSON codec.';
comment on column "sessions"."session_data".value is 'The value as the codec wrote it; JSON text under the JSON codec.';

comment on view "sessions"."session_entry" is 'Entries as text, for people. Readable under the JSON codec only.';

-- 2: describe-sign-ins
insert into "sessions"."migration" (version, name)
values (2, 'describe-sign-ins');

alter table "sessions"."session"
  add column device jsonb,
  add column tags text[],
  add column actor_id text,
  add column actor_session uuid,
  add column factor text,
  add column elevated_at timestamptz;

create index "session_tags_idx" on "sessions"."session"
  using gin (tags) with (fastupdate = off) where tags is not null;

create or replace view "sessions"."session_entry" as
select
  session_id,
  pg_catalog.convert_from(key, 'UTF8') as key,
  case
    when pg_catalog.substr(value, 1, 5) = pg_catalog.decode('007365616c', 'hex')
    then 'sealed:' || pg_catalog.encode(pg_catalog.substr(value, 6, 8), 'hex')
    else pg_catalog.convert_from(value, 'UTF8')
  end as value
from "sessions"."session_data";

comment on column "sessions"."session".device is 'What the sign-in said of its device: a label for lists. Null if nothing.';
comment on column "sessions"."session".tags is 'Names by which the application finds and ends sessions. Null if none.';
comment on column "sessions"."session".actor_id is 'The administrator who acts as the user; null for the user''s own session.';
comment on column "sessions"."session".actor_session is 'The administrator''s own session, without which this one is dead.';
comment on column "sessions"."session".factor is 'The second factor that the user last proved; null if none since the sign-in.';
comment on column "sessions"."session".elevated_at is 'When the user last proved it.';

commit;

-- The application may run as a role that owns nothing. These are all the rights it needs; put its
-- name in the place of app:
--
-- grant usage on schema "sessions" to app;
-- grant select, insert, update, delete on "sessions"."session" to app;
-- grant select, insert, update, delete on "sessions"."session_data" to app;
-- grant select on "sessions"."migration" to app;
