import { UndecodableError } from '../../errors.ts'
import type { DestroyResult, EndedSession, Ending } from '../../store/session-store.ts'
import { ANY_SESSION } from '../announcer.ts'
import { type AnswerRow, onlyRow } from '../answer-rows.ts'
import { type Operation, operation } from '../operation.ts'
import { listToChange, text, uuid } from '../parameter-types.ts'
import type { TableNames } from '../table-names.ts'
import { identitySql } from './database-identity.ts'
import { type EndingOfSeveral, endFound, endingTypes, giveEnding, refuseKept } from './destroy.ts'
import type { Selection } from './find-sessions.ts'

/** What a statement in the application's transaction answers. */
export interface EndedInTransaction<Answer> {
  readonly answer: Answer
  /** The sessions that were live. */
  readonly ended: readonly string[]
  /** The transaction's id, for `transactionStatus`; null when the statement has ended nothing. */
  readonly transactionId: string | null
  readonly ground: TransactionGround
}

/** What a statement saw of the transaction it ran in. */
export interface TransactionGround {
  /** The `databaseIdentity` of its database. */
  readonly identity: string
  /** Whether it sees the sessions as they were when the transaction began. */
  readonly hasOldSnapshot: boolean
  /** Whether row level security chooses what it sees. */
  readonly isFiltered: boolean
}

/** How a session ends within a transaction of the application. */
export interface TransactionTerms {
  /** Where the endings are announced; null where the server can't. */
  readonly channel: string | null
  /** Whether rows are locked in the order of their ids. Distributed engines refuse that. */
  readonly isOrdered: boolean
  /** Whether `markTransaction` has run before, in the same transaction if one is open. */
  readonly isMarked: boolean
}

const MARK = 'pg_sessions.in_transaction'

/** What the server says when a marked statement runs by itself. It has then done nothing. */
export const NO_TRANSACTION = 'no transaction is open'

/** Leaves a setting that ends with the transaction: outside one, with this very statement. */
export function markTransaction(): Operation<void, 'marked'> {
  return operation({
    name: 'mark_transaction',
    effect: 'none',
    parameters: {},
    give: () => ({}),
    sql: () => ({ answer: `select set_config('${MARK}', 'true', true)` }),
    rows: () => 'marked',
  })
}

/**
 * Ends a session as `destroyOperation` does, within a transaction of the application.
 *
 * The announcement goes with the same statement: PostgreSQL delivers it at the commit, and drops it with a
 * rollback, also with one to a savepoint.
 */
export function destroyInTransaction(
  names: TableNames,
  { channel, isMarked }: TransactionTerms,
): Operation<Ending, EndedInTransaction<DestroyResult>> {
  const { session } = names
  return operation({
    name: 'destroy_in_transaction',
    effect: 'once',
    parameters: { ...endingTypes, channel: text, table: text },
    materialized: ['answer'],
    give: (ending: Ending) => ({ ...giveEnding(ending), channel, table: session }),
    sql: (given) => ({
      ground: groundSql(names, given.table, isMarked),
      ...endFound(session, given),
      answer: `
        select id, user_id, is_held, not exists (select from ended) as is_kept, ${TRANSACTION_ID},
          ${announce(channel, given.channel, 'is_held')}, ground.*
        from ground left join found on was_live`,
    }),
    rows(rows) {
      const row = onlyRow(rows)
      const ground = readGround(row)
      if (row.textOrNull('id') === null) return nothing({ status: 'gone' }, ground)
      if (!row.boolean('is_held')) return nothing({ status: 'superseded' }, ground)
      refuseKept(row.boolean('is_kept'))
      return {
        answer: { status: 'ended', userId: row.textOrNull('user_id') },
        ended: [row.text('id')],
        transactionId: row.text('transaction_id'),
        ground,
      }
    },
  })
}

/**
 * Ends all sessions of a user, or with a tag, but those named, within a transaction of the application.
 *
 * A deadlock would be the application's to handle, so two transactions that end the same sessions lock them in
 * one order.
 */
export function destroySeveralInTransaction(
  names: TableNames,
  { name, isMeant }: Selection,
  { channel, isOrdered, isMarked }: TransactionTerms,
): Operation<EndingOfSeveral, EndedInTransaction<readonly EndedSession[]>> {
  const { session } = names
  return operation({
    name: `destroy_${name}_in_transaction`,
    effect: 'once',
    parameters: { of: text, except: listToChange(uuid, names), channel: text, table: text },
    materialized: ['answer'],
    give: ({ of, except }: EndingOfSeveral) => ({ of, except, channel, table: session }),
    sql: ({ of, except, ...given }) => ({
      ground: groundSql(names, given.table, isMarked),
      ...(isOrdered && {
        found: `
        select s.id, s.expires_at
        from ${session} as s
        where ${isMeant(of)} and s.id <> all (${except})
        order by s.id
        for update`,
      }),
      ended: `
        delete from ${session} as s
        ${isOrdered ? 'using found where s.id = found.id' : `where ${isMeant(of)} and s.id <> all (${except})`}
        returning s.id, s.user_id, s.expires_at`,
      answer: `
        select id, user_id, false as is_kept, ${TRANSACTION_ID},
          ${announce(channel, given.channel, 'id is not null')}, ground.*
        from ground left join ended on expires_at > now()${isOrdered ? KEPT : ''}`,
    }),
    rows(rows) {
      const [first] = rows
      if (first === undefined) throw new UndecodableError('no rows')
      refuseKept(rows.some((row) => row.boolean('is_kept')))
      const answer: EndedSession[] = []
      for (const row of rows) {
        const id = row.textOrNull('id')
        if (id !== null) answer.push({ id, userId: row.textOrNull('user_id') })
      }
      return {
        answer,
        ended: answer.map(({ id }) => id),
        transactionId: answer.length === 0 ? null : first.text('transaction_id'),
        ground: readGround(first),
      }
    },
  })
}

/** What became of a transaction: null when the server has forgotten it. */
export function transactionStatus(): Operation<string, string | null> {
  return operation({
    name: 'transaction_status',
    effect: 'none',
    parameters: { id: text },
    give: (id: string) => ({ id }),
    sql: ({ id }) => ({ answer: `select pg_xact_status(${id}::xid8) as status` }),
    rows: ([row]) => row?.textOrNull('status') ?? null,
  })
}

/** Without the lock that comes with the order, others may have ended what is missing. */
const KEPT = `
        union all
        select id, null, true, null, null, ground.*
        from found, ground
        where expires_at > now() and id not in (select ended.id from ended)`

const TRANSACTION_ID = 'pg_current_xact_id()::text as transaction_id'

/** Ids that one transaction announces. Beyond them it announces that any session may have ended. */
const MOST_ANNOUNCED = 1000

/**
 * Reading the column is what sends the announcement. A server whose queue of notifications is full refuses the commit, so
 * a queue that is nearly full is given none: those who watch also poll.
 */
function announce(channel: string | null, given: string, condition: string): string {
  if (channel === null) return 'null as told'
  const message = `case when row_number() over () <= ${MOST_ANNOUNCED} then id::text else '${ANY_SESSION}' end`
  return `case
            when ${condition} and pg_notification_queue_usage() < 0.9 then pg_notify(${given}, ${message}) is null
          end as told`
}

/** Gives one row, whatever has ended. */
function groundSql(names: TableNames, table: string, isMarked: boolean): string {
  // A text that is not a boolean fails the statement as a whole.
  const isOpen = `coalesce(nullif(current_setting('${MARK}', true), ''), '${NO_TRANSACTION}')::boolean`
  return `
        select ${isMarked ? isOpen : 'true'} as is_open, ${identitySql(names)} as identity,
          current_setting('transaction_isolation') in ('repeatable read', 'serializable') as has_old_snapshot,
          row_security_active(${table}) as is_filtered`
}

function readGround(row: AnswerRow): TransactionGround {
  return {
    identity: row.text('identity'),
    hasOldSnapshot: row.boolean('has_old_snapshot'),
    isFiltered: row.boolean('is_filtered'),
  }
}

function nothing(
  answer: DestroyResult,
  ground: TransactionGround,
): EndedInTransaction<DestroyResult> {
  return { answer, ended: [], transactionId: null, ground }
}
