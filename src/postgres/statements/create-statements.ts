import type { TableNames } from '../table-names.ts'
import {
  entryList,
  entryListById,
  LIVE_AND_OWNED,
  list,
  NEW_COLUMNS,
  NEW_VALUES,
  newParameters,
  TIMES,
} from './fragments.ts'

/** Making sessions, and ending one to begin another. */
export function createStatements({
  session,
  sessionData,
}: TableNames): Record<'create' | 'create_many' | 'find_created' | 'replace', string> {
  return {
    create: `
      with created as (
        insert into ${session} ${NEW_COLUMNS}
        select ${NEW_VALUES}
        from (values ${newParameters(1)}) as n (id, hash, user_id, own_idle_ms, idle, absolute)
        on conflict (id) do nothing
        returning ${TIMES}
      ), written as (
        insert into ${sessionData} (session_id, key, value)
        select $1::text::uuid, decode(e.key, 'hex'), decode(e.value, 'hex')
        from created, ${entryList(7)}
      )
      select * from created`,

    create_many: `
      with created as (
        insert into ${session} ${NEW_COLUMNS}
        select ${NEW_VALUES}
        from unnest(
            ${list(1, 'uuid')}, ${list(2, 'text')}, ${list(3, 'text')},
            ${list(4, 'float8')}, ${list(5, 'interval')}, ${list(6, 'interval')}
          ) as n (id, hash, user_id, own_idle_ms, idle, absolute)
        on conflict (id) do nothing
        returning id, ${TIMES}
      ), written as (
        insert into ${sessionData} (session_id, key, value)
        select created.id, decode(e.key, 'hex'), decode(e.value, 'hex')
        from created join ${entryListById(7)} on e.id = created.id
      )
      select id::text as id, times from created`,

    // Tells a repeated create, whose first answer was lost, from another session with this id.
    find_created: `
      select ${TIMES}
      from ${session}
      where id = $1::text::uuid and secret_hash = decode($2::text, 'hex')`,

    // The old session's entries go by the cascade, which sees what other requests wrote meanwhile.
    replace: `
      with ended as (
        delete from ${session}
        where ${LIVE_AND_OWNED}
        returning id
      ), created as (
        insert into ${session} ${NEW_COLUMNS}
        select ${NEW_VALUES}
        from ended,
          (values ${newParameters(3)}) as n (id, hash, user_id, own_idle_ms, idle, absolute)
        returning ${TIMES}
      ), written as (
        insert into ${sessionData} (session_id, key, value)
        select $3::text::uuid, decode(e.key, 'hex'), decode(e.value, 'hex')
        from created, ${entryList(9)}
      )
      select * from created`,
  }
}
