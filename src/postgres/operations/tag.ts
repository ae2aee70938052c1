import type { TagChange, TagResult } from '../../store/session-store.ts'
import { MOST_TAGS } from '../../store/session-tags.ts'
import { type Operation, operation } from '../operation.ts'
import { integer, list, text } from '../parameter-types.ts'
import { packTags, readTags } from '../session-columns.ts'
import type { TableNames } from '../table-names.ts'
import { giveGuard, guardTypes } from './session-parameters.ts'
import { liveAndOwned } from './session-sql.ts'

/** The operations to change a session's tags, and to read them. */
export interface ChangeTags {
  for(change: TagChange): Operation<TagChange, TagResult>
}

export function changeTags(names: TableNames): ChangeTags {
  const change = changeOperation(names)
  const read = readOperation(names)
  return { for: ({ added, removed }) => (added.length + removed.length === 0 ? read : change) }
}

/**
 * The new tags are computed from the row once it is locked, so no concurrent change is lost. Repeating it could undo
 * what others did in between.
 */
function changeOperation({ session }: TableNames): Operation<TagChange, TagResult> {
  return operation({
    name: 'tag',
    effect: 'once',
    parameters: { ...guardTypes, added: list(text), removed: list(text), most: integer },
    materialized: ['wanted'],
    give: ({ added, removed, ...guard }: TagChange) => ({
      ...giveGuard(guard),
      added,
      removed,
      most: MOST_TAGS,
    }),
    sql: ({ added, removed, most, ...guard }) => ({
      held: `
        select s.tags
        from ${session} as s
        where ${liveAndOwned(guard)}
        for no key update`,
      wanted: `
        select (
            select array_agg(t.tag order by t.n)
            from (
              select u.tag, min(u.n) as n
              from pg_catalog.unnest(held.tags || ${added}) with ordinality as u (tag, n)
              where u.tag <> all (${removed})
              group by u.tag
            ) as t
          ) as tags, held.tags as before
        from held`,
      live: `
        update ${session} as s
        set tags = case when cardinality(wanted.tags) > ${most} then wanted.before else wanted.tags end
        from wanted
        where s.id = ${guard.id}
        returning s.tags`,
      answer: `select ${packTags('tags')} as packed from live`,
    }),
    packedRow(answer, { added, removed }) {
      if (answer.isAtEnd) return { status: 'gone' }
      const tags = readTags(answer)
      const isFull = added.some((tag) => !tags.includes(tag) && !removed.includes(tag))
      return isFull ? { status: 'full' } : { status: 'tagged', tags }
    },
  })
}

function readOperation({ session }: TableNames): Operation<TagChange, TagResult> {
  return operation({
    name: 'read_tags',
    effect: 'none',
    parameters: guardTypes,
    give: giveGuard,
    sql: (guard) => ({
      answer: `
        select ${packTags('s.tags')} as packed
        from ${session} as s
        where ${liveAndOwned(guard)}`,
    }),
    packedRow: (answer) =>
      answer.isAtEnd ? { status: 'gone' } : { status: 'tagged', tags: readTags(answer) },
  })
}
