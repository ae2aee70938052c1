import { createHash } from 'node:crypto'
import { type Operation, operation } from '../operation.ts'
import { list, text } from '../parameter-types.ts'
import type { TableNames } from '../table-names.ts'

/** One channel for each set of tables in a database; a table's name may be too long for a channel. */
export function channelOf({ session }: TableNames): string {
  return `pg_sessions_${createHash('sha256').update(session).digest('hex').slice(0, 16)}`
}

/**
 * Tells the listeners of a channel which sessions have ended.
 *
 * Alone rather than within the statement that ended the sessions: all commits that notify take turns, and
 * here none of them waits for the disk.
 */
export function announceOperation(channel: string): Operation<readonly string[], 'announced'> {
  return operation({
    name: 'announce',
    effect: 'idempotent',
    parameters: { channel: text, ids: list(text) },
    give: (ids: readonly string[]) => ({ channel, ids }),
    sql: (given) => ({
      answer: `select pg_notify(${given.channel}, e.id) from pg_catalog.unnest(${given.ids}) as e (id)`,
    }),
    // Reading the rows is what sends the notifications.
    rows: () => 'announced',
  })
}
