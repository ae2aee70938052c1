import type { TableNames } from '../table-names.ts'
import { changedOrCurrent, noteAccess } from './fragments.ts'

/** Changing one entry at once. */
export function entryStatements({
  session,
  sessionData,
}: TableNames): Record<'update_absent' | 'update_present' | 'update_removed' | 'take', string> {
  return {
    update_absent: `
      with live as (${noteAccess(session)}), changed as (
        insert into ${sessionData} (session_id, key, value)
        select $1::text::uuid, decode($5::text, 'hex'), decode($6::text, 'hex')
        from live
        on conflict (session_id, key) do nothing
        returning key
      ) ${changedOrCurrent(sessionData)}`,

    update_present: `
      with live as (${noteAccess(session)}), changed as (
        update ${sessionData}
        set value = decode($6::text, 'hex')
        where session_id = $1::text::uuid and key = decode($5::text, 'hex')
          and value = decode($7::text, 'hex') and exists (select from live)
        returning key
      ) ${changedOrCurrent(sessionData)}`,

    update_removed: `
      with live as (${noteAccess(session)}), changed as (
        delete from ${sessionData}
        where session_id = $1::text::uuid and key = decode($5::text, 'hex')
          and value = decode($6::text, 'hex') and exists (select from live)
        returning key
      ) ${changedOrCurrent(sessionData)}`,

    take: `
      with live as (${noteAccess(session)}), taken as (
        delete from ${sessionData}
        where session_id = $1::text::uuid and key = decode($5::text, 'hex')
          and exists (select from live)
        returning value
      )
      select (select count(*) from live)::text as live,
        (select encode(value, 'hex') from taken) as value`,
  }
}
