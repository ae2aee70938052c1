import type { LiveSession, SessionSummary, StoreCounts } from '../../store/session-store.ts'
import { type AnswerRow, onlyRow } from '../answer-rows.ts'
import type { SharedOperation } from '../batcher.ts'
import { type Operation, operation } from '../operation.ts'
import { list, text, uuid } from '../parameter-types.ts'
import { packListed, readListed } from '../session-columns.ts'
import type { TableNames } from '../table-names.ts'

/** Which sessions a call is about: those of a user, or with a tag. */
export interface Selection {
  readonly name: string
  /** Writes whether session `s` is one of them. */
  isMeant(text: string): string
}

/** Served by the partial index on `user_id`. */
export const BY_USER: Selection = { name: 'by_user', isMeant: (user) => `s.user_id = ${user}` }

/** Served by the partial index on `tags`. */
export const BY_TAG: Selection = { name: 'by_tag', isMeant: (tag) => `s.tags @> array[${tag}]` }

/** Lists live sessions, the most recently used first. */
export function listLive(
  { session }: TableNames,
  { name, isMeant }: Selection,
): Operation<string, readonly SessionSummary[]> {
  return operation({
    name: `list_${name}`,
    effect: 'none',
    parameters: { of: text },
    give: (of: string) => ({ of }),
    sql: ({ of }) => ({
      answer: `
        select ${packListed('s')} as packed
        from ${session} as s
        where ${isMeant(of)} and s.expires_at > now()
        order by s.last_access_at desc, s.id desc`,
    }),
    packed(answer) {
      const found: SessionSummary[] = []
      while (!answer.isAtEnd) found.push(readListed(answer))
      return found
    },
  })
}

/** The operations to tell which of some sessions live, and whose they are. */
export interface FindLive {
  for(ids: readonly string[]): Operation<readonly string[], readonly LiveSession[]>
}

/** A session alone is named by its id, so that of distributed tables one server is asked. */
export function findLive(names: TableNames): FindLive {
  const one = operation({
    name: 'find_live',
    effect: 'none',
    parameters: { id: uuid },
    give: (ids: readonly string[]) => ({ id: ids[0] ?? null }),
    sql: ({ id }) => ({ answer: liveSql(names, `= ${id}`) }),
    rows: readLive,
  })
  const many = operation({
    name: 'find_live_many',
    effect: 'none',
    parameters: { ids: list(uuid) },
    give: (ids: readonly string[]) => ({ ids }),
    sql: ({ ids }) => ({ answer: liveSql(names, `= any (${ids})`) }),
    rows: readLive,
  })
  return { for: ({ length }) => (length === 1 ? one : many) }
}

function liveSql({ session }: TableNames, isMeant: string): string {
  return `
        select s.id, s.user_id, s.actor_id, s.actor_session::text as actor_session,
          nullif(extract(epoch from s.expires_at), 'infinity') as expires_at,
          extract(epoch from now()) as now
        from ${session} as s
        where s.id ${isMeant} and s.expires_at > now()`
}

function readLive(rows: readonly AnswerRow[]): readonly LiveSession[] {
  return rows.map((row) => {
    const expiresAt = row.numberOrNull('expires_at') ?? Number.POSITIVE_INFINITY
    const actor = row.textOrNull('actor_id')
    return {
      id: row.text('id'),
      userId: row.textOrNull('user_id'),
      remaining: (expiresAt - row.number('now')) * 1000,
      ...(actor === null ? {} : { actor: { userId: actor, sessionId: row.text('actor_session') } }),
    }
  })
}

/** What is there of a session that is about to end. An expired one has its row until it is purged. */
export interface LookedUp {
  /** Undefined when there is no row. */
  readonly found: { readonly userId: string | null; readonly isLive: boolean } | undefined
}

/** Looks up a session that is about to end. Callers can share the statement. */
export function lookUp(names: TableNames): SharedOperation<string, LookedUp> {
  const single = operation({
    name: 'look_up',
    effect: 'none',
    parameters: { id: uuid },
    give: (id: string) => ({ id }),
    sql: ({ id }) => ({ answer: lookUpSql(names, `= ${id}`) }),
    rows: (rows, id): LookedUp => ({ found: readLookedUp(rows).get(id) }),
  })
  const batch = operation({
    name: 'look_up_many',
    effect: 'none',
    parameters: { ids: list(uuid) },
    give: (ids: readonly string[]) => ({ ids }),
    sql: ({ ids }) => ({ answer: lookUpSql(names, `= any (${ids})`) }),
    rows(rows, ids): readonly LookedUp[] {
      const found = readLookedUp(rows)
      return ids.map((id) => ({ found: found.get(id) }))
    },
  })
  return {
    single: () => single,
    batch,
    sessionOf: (id) => id,
    isExclusive: false,
    sizeOf: () => 0,
  }
}

function lookUpSql({ session }: TableNames, isMeant: string): string {
  return `
        select s.id, s.user_id, s.expires_at > now() as is_live
        from ${session} as s
        where s.id ${isMeant}`
}

function readLookedUp(rows: readonly AnswerRow[]): ReadonlyMap<string, LookedUp['found']> {
  return new Map(
    rows.map((row) => [
      row.text('id'),
      { userId: row.textOrNull('user_id'), isLive: row.boolean('is_live') },
    ]),
  )
}

/** Counts all sessions. Reads the whole table. */
export function count({ session }: TableNames): Operation<void, StoreCounts> {
  return operation({
    name: 'count',
    effect: 'none',
    parameters: {},
    give: () => ({}),
    sql: () => ({
      answer: `
        select count(*) filter (where expires_at > now()) as live,
          count(*) filter (where expires_at <= now()) as expired
        from ${session}`,
    }),
    rows(rows) {
      const row = onlyRow(rows)
      return { live: row.number('live'), expired: row.number('expired') }
    },
  })
}
