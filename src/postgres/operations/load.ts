import type { LoadResult, PresentedToken } from '../../store/session-store.ts'
import type { AnswerBytes } from '../answer-bytes.ts'
import type { SharedOperation } from '../batcher.ts'
import { type Operation, operation } from '../operation.ts'
import {
  bytes,
  integer,
  list,
  type ParameterType,
  type ParameterTypes,
  uuid,
} from '../parameter-types.ts'
import { packSummary, previousToken, readSummary } from '../session-columns.ts'
import type { TableNames } from '../table-names.ts'
import { type FoundUser, packUser, readUserRow, type UserRowSql } from '../user/user-row.ts'
import { mostSharedBytes, packEntries, packSharedEntries, readEntries } from './packed-entries.ts'

/** A session to load. */
export interface TokenLoad {
  readonly token: PresentedToken
  /** Bytes above which a value is named, and not read. */
  readonly largeEntries?: number | undefined
}

/** What no value exceeds. */
const UNLIMITED = 2 ** 31 - 1

/**
 * Reads a session with its entries, for a client that shows its token.
 *
 * The token's hash is compared in SQL, so a wrong token finds no row: it costs the same whether or not a
 * session has that id, and however much that session holds. A dead session answers too, so that expiry can
 * be told from guessing, and so does the token from before the last renewal, so that its reuse can.
 */
export function loadOperation(
  names: TableNames,
  users: { readonly rows: UserRowSql } | null = null,
): SharedOperation<TokenLoad, LoadedSession> {
  const operations = eachForm((rows) => ({
    byHash: loadOne(names, rows, 'load', ONE_HASH),
    byHashes: loadOne(names, rows, 'load_any', SEVERAL_HASHES),
    batch: loadMany(names, rows),
  }))
  const current = (): ReturnType<typeof operations> => operations(users?.rows ?? null)
  return {
    single: ({ token }) =>
      token.secretHashes.length === 1 ? current().byHash : current().byHashes,
    get batch() {
      return current().batch
    },
    sessionOf: ({ token }) => token.id,
    isExclusive: false,
    sizeOf: () => 0,
  }
}

/** What a load answers: with the user's row, where users are joined. */
export type LoadedSession = LoadResult & { readonly found?: FoundUser }

/** Makes something once for each form of the users' rows, which is known only when the tables are prepared. */
function eachForm<Made>(make: (rows: UserRowSql | null) => Made): typeof make {
  let last: { readonly rows: UserRowSql | null; readonly made: Made } | null = null
  return (rows) => {
    if (last === null || last.rows !== rows) last = { rows, made: make(rows) }
    return last.made
  }
}

/** How the hashes of a token travel. */
interface Hashes<Value> {
  readonly type: ParameterType<Value>
  of(token: PresentedToken): Value
  /** Writes whether a column holds one of them. */
  isOne(column: string, hashes: string): string
}

/** As nearly every token has it. */
const ONE_HASH: Hashes<Uint8Array | null> = {
  type: bytes,
  of: ({ secretHashes: [hash = null] }) => hash,
  isOne: (column, hash) => `${column} = ${hash}`,
}

const SEVERAL_HASHES: Hashes<readonly Uint8Array[]> = {
  type: list(bytes),
  of: ({ secretHashes }) => secretHashes,
  isOne: (column, hashes) => `${column} = any (${hashes})`,
}

function loadOne<Value>(
  { session, sessionData }: TableNames,
  users: UserRowSql | null,
  name: string,
  { type, of, isOne }: Hashes<Value>,
): Operation<TokenLoad, LoadedSession> {
  const parameters: ParameterTypes<{ id: string; hashes: Value; large: number }> = {
    id: uuid,
    hashes: type,
    large: integer,
  }
  return operation({
    name,
    effect: 'none',
    parameters,
    give: ({ token, largeEntries = UNLIMITED }: TokenLoad) => ({
      id: token.id,
      hashes: of(token),
      large: largeEntries,
    }),
    // Served by both primary keys.
    sql: ({ id, hashes, large }) => {
      const isCurrent = isOne('s.secret_hash', hashes)
      const opened = `${sessionData}
              where session_id = ${id} and (${isCurrent} or s.previous_until > now())`
      return {
        answer: `
        select ${packRecord(isCurrent, users)} || ${packEntries(opened, large)} as packed
        from ${session} as s
        where s.id = ${id} and (${isCurrent} or ${isOne('s.previous_hash', hashes)})`,
      }
    },
    packedRow: (answer) =>
      answer.isAtEnd ? UNKNOWN : (readLoaded(answer, users !== null) ?? UNKNOWN),
  })
}

type Loads = readonly (LoadedSession | null)[]

function loadMany(
  names: TableNames,
  users: UserRowSql | null,
): Operation<readonly TokenLoad[], Loads> {
  return operation({
    name: 'load_many',
    effect: 'none',
    parameters: { ids: list(uuid), hashes: list(bytes), larges: list(integer), most: integer },
    give: (loads: readonly TokenLoad[]) => {
      const distinct = loads.filter((load, n) => !isRepeated(load, loads[n - 1]))
      const asked = distinct.flatMap(({ token: { id, secretHashes }, largeEntries = UNLIMITED }) =>
        secretHashes.map((hash) => ({ id, hash, large: largeEntries })),
      )
      return {
        ids: asked.map(({ id }) => id),
        hashes: asked.map(({ hash }) => hash),
        larges: asked.map(({ large }) => large),
        most: mostSharedBytes(distinct.length),
      }
    },
    sql: ({ ids, hashes, larges, most }) => ({
      answer: `
        select int4send(a.n::int4) || ${packRecord('s.secret_hash = a.hash', users)}
            || ${packSharedEntries(
              `${names.sessionData}
              where session_id = s.id and (s.secret_hash = a.hash or s.previous_until > now())`,
              most,
              'a.large',
            )} as packed
        from unnest(${ids}, ${hashes}, ${larges}) with ordinality as a (id, hash, large, n)
          ${joinSessions(names)}`,
    }),
    packed(answer, loads) {
      const found = new Map<number, LoadedSession | null>()
      while (!answer.isAtEnd) found.set(answer.int() - 1, readLoaded(answer, users !== null))
      let next = 0
      let result: LoadedSession | null = UNKNOWN
      return loads.map((load, n) => {
        if (isRepeated(load, loads[n - 1])) return result && ownCopy(result)
        const first = next
        next += load.token.secretHashes.length
        result = UNKNOWN
        for (let hash = next - 1; hash >= first; hash--) {
          const hit = found.get(hash)
          if (hit !== undefined) result = hit
        }
        return result
      })
    },
  })
}

/**
 * Joins what was asked for (`a`) to the sessions `s`.
 *
 * The planner must look each one up by its id. For a plain join with a table that looks small, as a new one does,
 * it reads the whole table, and a connection keeps that plan until the table is analyzed. `offset 0` prevents
 * that; distributed engines refuse it.
 */
function joinSessions({ session, isDistributed }: TableNames): string {
  const isAsked = 's.id = a.id and (s.secret_hash = a.hash or s.previous_hash = a.hash)'
  if (isDistributed) return `join ${session} as s on ${isAsked}`
  return `cross join lateral (select * from ${session} as s where ${isAsked} offset 0) as s`
}

/** Whether a load asks what the one before asks, as the requests of one page do. They are sorted by session. */
function isRepeated(load: TokenLoad, before: TokenLoad | undefined): boolean {
  if (load.token.id !== before?.token.id || load.largeEntries !== before.largeEntries) return false
  const [hashes, others] = [load.token.secretHashes, before.token.secretHashes]
  return (
    hashes.length === others.length &&
    hashes.every((hash, n) => Buffer.compare(hash, others[n] as Uint8Array) === 0)
  )
}

/** The same with values and a user's row of its own, since a handler may write to what it is given. */
function ownCopy(result: LoadedSession): LoadedSession {
  if (result.status !== 'live') return result
  const { record, found } = result
  const entries = record.entries.map(({ key, value }) => ({ key, value: Buffer.from(value) }))
  const copy = { ...result, record: { ...record, entries } }
  return typeof found === 'object' ? { ...copy, found: structuredClone(found) } : copy
}

const UNKNOWN: LoadResult = { status: 'unknown' }

function packRecord(isCurrent: string, users: UserRowSql | null): string {
  const record = `boolsend(${isCurrent}) || ${packSummary('s')} || ${previousToken.pack('s')}`
  return users === null ? record : `${record} || ${packUser(users, 's.user_id')}`
}

/** Null when the session holds too much for a shared statement. */
function readLoaded(answer: AnswerBytes, hasUser: boolean): LoadedSession | null {
  const isCurrent = answer.boolean()
  const summary = readSummary(answer)
  const previous = previousToken.read(answer)
  const found = hasUser ? readUserRow(answer) : undefined
  const content = readEntries(answer)
  if (content === null) return null
  const { id, userId, expiresAt, now } = summary
  const isGrace = previous !== null && previous.until > now
  const isOpen = isCurrent || isGrace
  if (expiresAt <= now) return isOpen ? { status: 'expired', id, userId } : UNKNOWN
  if (!isOpen) return { status: 'reused', id, userId }
  const token = isGrace ? { ...previous, isShown: !isCurrent } : null
  // Completed in place: a copy of so many numbers costs more than reading them.
  const record = Object.assign(summary, content, { previousToken: token })
  return found === undefined ? { status: 'live', record } : { status: 'live', record, found }
}
