import { type AnswerRow, onlyRow } from '../../postgres/answer-rows.ts'
import { type Operation, operation } from '../../postgres/operation.ts'
import { integer, text, uuid } from '../../postgres/parameter-types.ts'
import type { TableNames } from '../../postgres/table-names.ts'
import type { StoreCounts } from '../../store/session-store.ts'
import { countOldSessions } from '../count-old-sessions.ts'
import { REMEMBERED } from '../express-store/claim-elsewhere.ts'
import type { FoundSession, ImportSource, PageRequest } from '../import-source.ts'
import type { OldToken } from './old-tokens.ts'
import type { TokenTable } from './token-table.ts'

/** One row of the other library. */
export interface OldSessionRow {
  readonly key: string
  readonly userId: string | null
  readonly secretHash: string | null
  readonly version: string
  /** Milliseconds since the epoch; null when it is not known. */
  readonly createdAt: number | null
  readonly isLive: boolean
  readonly isImpersonated: boolean
}

/** Where a session is. */
export interface TokenFinding {
  readonly isHere: boolean
  /** Its row there; null when there is none. */
  readonly row: OldSessionRow | null
}

/** A table with one row for each session, its user and its token, as a source of sessions to move. */
export class TokenTableSource implements ImportSource<OldSessionRow> {
  readonly name: string
  readonly page: Operation<PageRequest, readonly OldSessionRow[]>
  readonly count: Operation<void, StoreCounts>
  readonly #table: TokenTable

  constructor(table: TokenTable) {
    this.name = table.system
    this.#table = table
    this.page = pageOperation(table)
    this.count = countOldSessions('token_count', table.name, `${table.deadline} > now()`)
  }

  read(row: OldSessionRow): FoundSession {
    return { cursor: row.key, content: this.#contentOf(row) }
  }

  #contentOf(row: OldSessionRow): FoundSession['content'] {
    if (!row.isLive) return { status: 'expired' }
    const identity = this.#table.tokens.identify(row)
    if (identity === null) {
      return { status: 'unreadable', problem: 'a token that is not stored as expected', id: null }
    }
    const { id, secretHash } = identity
    if (row.isImpersonated) {
      return { status: 'unreadable', problem: 'an administrator acts as its user', id }
    }
    const { userId } = row
    if (userId === null || userId === '' || userId.length > 255) {
      return {
        status: 'unreadable',
        problem: 'no user, or one with an id of over 255 characters',
        id,
      }
    }
    return {
      status: 'movable',
      key: row.key,
      version: row.version,
      id,
      secretHash,
      userId,
      ownIdleTimeout: null,
      createdAt: row.createdAt,
      lastAccessAt: null,
      rememberFor: REMEMBERED,
      entries: [],
    }
  }

  claim(held: 'skip' | 'wait'): Readonly<Record<'held' | 'claimed', string>> {
    const { name, key, deadline } = this.#table
    return {
      held: `
        select ${key} as key, free.position
        from free join ${name} old on ${key} = free.key
        where ${versionOf(this.#table)} = free.version and ${deadline} > now()
        order by ${key}
        for update of old ${held === 'skip' ? 'skip locked' : ''}`,
      claimed: `
        delete from ${name} old
        using held
        where ${key} = held.key
        returning held.position, ${deadline} as expires_at`,
    }
  }
}

function pageOperation(table: TokenTable): Operation<PageRequest, readonly OldSessionRow[]> {
  return operation({
    name: 'token_page',
    effect: 'none',
    parameters: { after: text, limit: integer },
    give: ({ after, rows }: PageRequest) => ({ after, limit: rows }),
    sql: ({ after, limit }) => ({
      answer: `
        select ${contentOf(table)}
        from ${table.name} old
        where ${after} is null or ${table.key} > ${after}
        order by ${table.key}
        limit ${limit}`,
    }),
    rows: (rows) => rows.map(readOldSession),
  })
}

/** Reads the row of a token, and tells whether its session is here: both as of one moment. */
export function findByToken(
  { session }: TableNames,
  table: TokenTable,
): Operation<OldToken, TokenFinding> {
  return operation({
    name: 'token_find',
    effect: 'none',
    parameters: { key: text, id: uuid },
    give: ({ key, proof }: OldToken) => ({ key, id: proof.id }),
    sql: ({ key, id }) => ({
      answer: `
        select exists (select from ${session} where id = ${id} and expires_at > now()) as is_here,
          found.*
        from (values (1)) as one
          left join (
            select ${contentOf(table)} from ${table.name} old where ${table.key} = ${key}
          ) found on true`,
    }),
    rows(rows) {
      const row = onlyRow(rows)
      const isMissing = row.textOrNull('key') === null
      return { isHere: row.boolean('is_here'), row: isMissing ? null : readOldSession(row) }
    },
  })
}

/** Reads the live rows of a user, some at a time. */
export function findByUser(table: TokenTable): Operation<string, readonly OldSessionRow[]> {
  return operation({
    name: 'token_of_user',
    effect: 'none',
    parameters: { user: text },
    give: (user: string) => ({ user }),
    sql: ({ user }) => ({
      answer: `
        select ${contentOf(table)}
        from ${table.name} old
        where ${table.userId} = ${user} and ${table.deadline} > now()
        order by ${table.key}
        limit 250`,
    }),
    rows: (rows) => rows.map(readOldSession),
  })
}

/** Removes all rows, for a store that ends all sessions. */
export function forgetAll({ name }: TokenTable): Operation<void, undefined> {
  return operation({
    name: 'token_forget_all',
    effect: 'idempotent',
    parameters: {},
    give: () => ({}),
    sql: () => ({
      gone: `delete from ${name} returning 1`,
      answer: 'select count(*) as gone from gone',
    }),
    rows: () => undefined,
  })
}

/** An access moves the deadline, and nothing else. */
function versionOf({ userId, secretHash }: TokenTable): string {
  return `concat(${userId}, ' ', ${secretHash})`
}

/** The plugin of better-auth that adds this column may be absent. */
const IMPERSONATED = `coalesce(to_jsonb(old) ->> 'impersonatedBy', to_jsonb(old) ->> 'impersonated_by') is not null`

function contentOf(table: TokenTable): string {
  return `${table.key}::text as key, ${table.userId} as user_id, ${table.secretHash} as secret_hash,
          ${versionOf(table)} as version, date_part('epoch', ${table.createdAt}) * 1000 as created_ms,
          ${table.deadline} > now() as is_live, ${IMPERSONATED} as is_impersonated`
}

function readOldSession(row: AnswerRow): OldSessionRow {
  return {
    key: row.text('key'),
    userId: row.textOrNull('user_id'),
    secretHash: row.textOrNull('secret_hash'),
    version: row.text('version'),
    createdAt: row.numberOrNull('created_ms'),
    isLive: row.boolean('is_live'),
    isImpersonated: row.boolean('is_impersonated'),
  }
}
