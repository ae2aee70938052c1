import { type Operation, operation } from '../operation.ts'
import { float, integer } from '../parameter-types.ts'
import type { TableNames } from '../table-names.ts'

/** Blocks that a sample reads at most, about: 3 MB. A table that has no more is read wholly, and its figures are exact. */
export const SAMPLED_BLOCKS = 400

/** Users of the sample whose sessions are counted, and how far. */
const USERS = 200
export const MOST_OF_USER = 50

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Where the parts begin, in seconds. */
export const REMAINING: readonly number[] = [0, 15 * MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY, 30 * DAY]
export const AGES: readonly number[] = [0, HOUR, 6 * HOUR, DAY, 7 * DAY, 30 * DAY]
export const SIGN_IN_HOURS = 24

/** One count of a sample: of which figure, and of which of its parts. */
export interface SampledCount {
  readonly figure: 'stored' | 'live' | 'signedIn' | 'remaining' | 'age' | 'signIn' | 'user'
  readonly part: number
  readonly count: number
}

/**
 * Counts the sessions in some of the table's blocks, chosen at random, so that the cost does not grow with the
 * table. Of some users in the sample it counts all sessions, by the index of users.
 *
 * @see https://www.postgresql.org/docs/current/sql-select.html#SQL-FROM
 */
export function sampleSessions({
  session,
}: TableNames): Operation<{ readonly percent: number }, readonly SampledCount[]> {
  return operation({
    name: 'inspect_sample',
    effect: 'none',
    parameters: { percent: float, users: integer, most: integer },
    give: ({ percent }: { readonly percent: number }) => ({
      percent,
      users: USERS,
      most: MOST_OF_USER,
    }),
    sql: ({ percent, users, most }) => ({
      sampled: `
        select user_id, expires_at > now() as is_live,
          date_part('epoch', expires_at) - date_part('epoch', now()) as remaining,
          date_part('epoch', now()) - date_part('epoch', created_at) as age,
          (date_part('epoch', now()) - date_part('epoch', authenticated_at)) / ${HOUR} as signed_in_ago
        from ${session} tablesample system (${percent}::real)`,
      owners: `
        select user_id from sampled where is_live and user_id is not null
        order by random() limit ${users}`,
      owned: `
        select o.user_id, n.sessions
        from owners as o, lateral (
          select count(*) as sessions from (
            select from ${session} as s
            where s.user_id = o.user_id and s.expires_at > now() limit ${most}
          ) as counted
        ) as n`,
      answer: `
        select 'stored' as figure, 0 as part, count(*) as count from sampled
        union all select 'live', 0, count(*) from sampled where is_live
        union all select 'signedIn', 0, count(*) from sampled where is_live and user_id is not null
        union all select 'remaining', width_bucket(remaining, ${array(REMAINING)}), count(*)
          from sampled where is_live group by 2
        union all select 'age', width_bucket(greatest(age, 0), ${array(AGES)}), count(*)
          from sampled where is_live group by 2
        union all select 'signIn', greatest(floor(signed_in_ago), 0)::int, count(*)
          from sampled where signed_in_ago < ${SIGN_IN_HOURS} group by 2
        union all select 'user', sessions::int, count(*) from owned group by 2`,
    }),
    rows: (rows) =>
      rows.map((row) => ({
        figure: row.text('figure') as SampledCount['figure'],
        part: row.number('part'),
        count: row.number('count'),
      })),
  })
}

function array(boundaries: readonly number[]): string {
  return `array[${boundaries.join(', ')}]::float8[]`
}
