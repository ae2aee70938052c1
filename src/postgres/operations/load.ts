import type {
  Entry,
  LoadResult,
  OmittedEntry,
  PresentedToken,
  SessionRecord,
} from '../../store/session-store.ts'
import type { AnswerBytes } from '../answer-bytes.ts'
import type { SharedOperation } from '../batcher.ts'
import { type Operation, operation } from '../operation.ts'
import { bytes, integer, list, uuid } from '../parameter-types.ts'
import { packSummary, previousToken, readSummary } from '../session-columns.ts'
import type { TableNames } from '../table-names.ts'
import { type FoundUser, packUser, readUserRow, type UserRowSql } from '../user/user-row.ts'
import { opensTo } from './session-sql.ts'

/** Bytes of entries that a shared statement answers for one session. One with more is loaded alone. */
const MOST_SHARED_BYTES = 262_144

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
    single: loadOne(names, rows),
    batch: loadMany(names, rows),
  }))
  const current = (): ReturnType<typeof operations> => operations(users?.rows ?? null)
  return {
    single: () => current().single,
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

function loadOne(
  { session, sessionData }: TableNames,
  users: UserRowSql | null,
): Operation<TokenLoad, LoadedSession> {
  return operation({
    name: 'load',
    effect: 'none',
    parameters: { id: uuid, hashes: list(bytes), large: integer },
    give: ({ token, largeEntries = UNLIMITED }: TokenLoad) => ({
      id: token.id,
      hashes: token.secretHashes,
      large: largeEntries,
    }),
    // Served by both primary keys.
    sql: ({ id, hashes, large }) => ({
      answer: `
        select ${packRecord(`s.secret_hash = any (${hashes})`, users)} || (
            select ${packEntries(large)}
            from ${sessionData}
            where session_id = ${id} and ${opensTo(hashes)}
          ) as packed
        from ${session} as s
        where s.id = ${id}
          and (s.secret_hash = any (${hashes}) or s.previous_hash = any (${hashes}))`,
    }),
    packed: (answer) =>
      answer.isAtEnd ? UNKNOWN : (readLoaded(answer, users !== null) ?? UNKNOWN),
  })
}

type Loads = readonly (LoadedSession | null)[]

function loadMany(
  { session, sessionData }: TableNames,
  users: UserRowSql | null,
): Operation<readonly TokenLoad[], Loads> {
  return operation({
    name: 'load_many',
    effect: 'none',
    parameters: { ids: list(uuid), hashes: list(bytes), larges: list(integer) },
    give: (loads: readonly TokenLoad[]) => {
      const asked = loads.flatMap(({ token: { id, secretHashes }, largeEntries = UNLIMITED }) =>
        secretHashes.map((hash) => ({ id, hash, large: largeEntries })),
      )
      return {
        ids: asked.map(({ id }) => id),
        hashes: asked.map(({ hash }) => hash),
        larges: asked.map(({ large }) => large),
      }
    },
    sql: ({ ids, hashes, larges }) => ({
      answer: `
        select int4send(a.n::int4) || ${packRecord('s.secret_hash = a.hash', users)} || (
            select ${packSharedEntries('a.large')}
            from ${sessionData}
            where session_id = s.id and (s.secret_hash = a.hash or s.previous_until > now())
          ) as packed
        from unnest(${ids}, ${hashes}, ${larges}) with ordinality as a (id, hash, large, n)
          join ${session} as s on s.id = a.id
            and (s.secret_hash = a.hash or s.previous_hash = a.hash)`,
    }),
    packed(answer, loads) {
      const found = new Map<number, LoadedSession | null>()
      while (!answer.isAtEnd) found.set(answer.int() - 1, readLoaded(answer, users !== null))
      let position = 0
      return loads.map(({ token }): LoadedSession | null => {
        const positions = token.secretHashes.map(() => position++)
        const hit = positions.find((at) => found.has(at))
        return hit === undefined ? UNKNOWN : (found.get(hit) ?? null)
      })
    },
  })
}

const UNKNOWN: LoadResult = { status: 'unknown' }

/**
 * How many entries there are, then each key and each value after its length. A value that is too large is
 * left where it is, and its length is negative.
 */
export function packEntries(large = `${UNLIMITED}`): string {
  return `int4send(count(*)::int4) || coalesce(string_agg(
              int4send(octet_length(key)) || key
                || int4send(case when octet_length(value) > ${large} then -1 else 1 end * octet_length(value))
                || case when octet_length(value) > ${large} then '' else value end, ''
            ), '')`
}

/** The same, or nothing but a count of -1 when they are too much for a statement that is shared. */
export function packSharedEntries(large = `${UNLIMITED}`): string {
  return `case
                when sum(octet_length(value)) filter (where octet_length(value) <= ${large})
                  > ${MOST_SHARED_BYTES} then int4send(-1)
                else ${packEntries(large)}
              end`
}

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

type Content = Pick<SessionRecord, 'entries' | 'omitted'>

export function readEntries(answer: AnswerBytes): Content | null {
  const count = answer.int()
  if (count < 0) return null
  const entries: Entry[] = []
  const omitted: OmittedEntry[] = []
  for (let n = 0; n < count; n++) {
    const key = answer.take(answer.int())
    const size = answer.int()
    if (size < 0) omitted.push({ key, size: -size })
    else entries.push({ key, value: answer.take(size) })
  }
  return omitted.length === 0 ? { entries } : { entries, omitted }
}
