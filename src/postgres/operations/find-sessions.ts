import type { LiveSession, SessionSummary, StoreCounts } from '../../store/session-store.ts'
import { onlyRow } from '../answer-rows.ts'
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

/** Tells which of these sessions live, and whose they are. */
export function findLive({
  session,
}: TableNames): Operation<readonly string[], readonly LiveSession[]> {
  return operation({
    name: 'find_live',
    effect: 'none',
    parameters: { ids: list(uuid) },
    give: (ids: readonly string[]) => ({ ids }),
    sql: ({ ids }) => ({
      answer: `
        select s.id, s.user_id, s.actor_id, s.actor_session::text as actor_session,
          nullif(extract(epoch from s.expires_at), 'infinity') as expires_at,
          extract(epoch from now()) as now
        from ${session} as s
        where s.id = any (${ids}) and s.expires_at > now()`,
    }),
    rows: (rows) =>
      rows.map((row) => {
        const expiresAt = row.numberOrNull('expires_at') ?? Number.POSITIVE_INFINITY
        const actor = row.textOrNull('actor_id')
        return {
          id: row.text('id'),
          userId: row.textOrNull('user_id'),
          remaining: (expiresAt - row.number('now')) * 1000,
          ...(actor === null
            ? {}
            : { actor: { userId: actor, sessionId: row.text('actor_session') } }),
        }
      }),
  })
}

/** What is there of a session that is about to end. An expired one has its row until it is purged. */
export interface LookedUp {
  /** Undefined when there is no row. */
  readonly found: { readonly userId: string | null; readonly isLive: boolean } | undefined
}

/** Looks up a session that is about to end. Callers can share the statement. */
export function lookUp({ session }: TableNames): SharedOperation<string, LookedUp> {
  const batch = operation({
    name: 'look_up',
    effect: 'none',
    parameters: { ids: list(uuid) },
    give: (ids: readonly string[]) => ({ ids }),
    sql: ({ ids }) => ({
      answer: `
        select s.id, s.user_id, s.expires_at > now() as is_live
        from ${session} as s
        where s.id = any (${ids})`,
    }),
    rows(rows, ids): readonly LookedUp[] {
      const found = new Map(
        rows.map((row) => [
          row.text('id'),
          { userId: row.textOrNull('user_id'), isLive: row.boolean('is_live') },
        ]),
      )
      return ids.map((id) => ({ found: found.get(id) }))
    },
  })
  const single: Operation<string, LookedUp> = {
    ...batch,
    statement: (id, proof) => batch.statement([id], proof),
    read: (rows, id, proof) => batch.read(rows, [id], proof)[0] as LookedUp,
  }
  return {
    single: () => single,
    batch,
    sessionOf: (id) => id,
    isExclusive: false,
    sizeOf: () => 0,
  }
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
