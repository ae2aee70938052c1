import { onlyRow } from '../answer-rows.ts'
import { type Operation, operation } from '../operation.ts'
import { integer } from '../parameter-types.ts'
import type { TableNames } from '../table-names.ts'
import { refuseKept } from './destroy.ts'

/**
 * Removes at most so many dead sessions, and tells how many went.
 *
 * Served by the index on purge_at. Skips rows that others hold, so purgers share the work; the outer
 * condition is judged again after any wait, so a session that has just been used stays.
 */
export function purgeOperation(names: TableNames): Operation<number, number> {
  if (names.isDistributed) return purgeDistributed(names)
  const { session } = names
  return operation({
    name: 'purge',
    effect: 'idempotent',
    parameters: { limit: integer },
    give: (limit: number) => ({ limit }),
    sql: ({ limit }) => ({
      doomed: `
        select id, expires_at
        from ${session}
        where purge_at <= now()
        order by purge_at
        limit ${limit}
        for update skip locked`,
      purged: `
        delete from ${session}
        where id = any (array(select id from doomed)) and expires_at <= now()
        returning id`,
      answer: `
        select (select count(*) from purged) as purged,
          exists (
            select from doomed
            where expires_at <= now() and id not in (select purged.id from purged)
          ) as is_kept`,
    }),
    rows(rows) {
      const row = onlyRow(rows)
      refuseKept(row.boolean('is_kept'))
      return row.number('purged')
    },
  })
}

/** Without a lock, which no statement can take on rows of several servers. Two purgers may look at the same rows. */
function purgeDistributed({ session }: TableNames): Operation<number, number> {
  return operation({
    name: 'purge_distributed',
    effect: 'idempotent',
    parameters: { limit: integer },
    give: (limit: number) => ({ limit }),
    sql: ({ limit }) => ({
      purged: `
        delete from ${session}
        where id in (
            select id
            from ${session}
            where purge_at <= now()
            order by purge_at
            limit ${limit}
          ) and expires_at <= now()
        returning id`,
      answer: `select count(*) as purged from purged`,
    }),
    rows: (rows) => onlyRow(rows).number('purged'),
  })
}
