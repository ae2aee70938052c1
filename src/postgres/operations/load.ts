import type { Entry, LoadResult, PresentedToken } from '../../store/session-store.ts'
import type { AnswerBytes } from '../answer-bytes.ts'
import type { SharedOperation } from '../batcher.ts'
import { type Operation, operation } from '../operation.ts'
import { bytes, list, uuid } from '../parameter-types.ts'
import { packSummary, previousToken, readSummary } from '../session-columns.ts'
import type { TableNames } from '../table-names.ts'
import { opensTo } from './session-sql.ts'

/** Bytes of entries that a shared statement answers for one session. One with more is loaded alone. */
const MOST_SHARED_BYTES = 262_144

/**
 * Reads a session with its entries, for a client that shows its token.
 *
 * The token's hash is compared in SQL, so a wrong token finds no row: it costs the same whether or not a
 * session has that id, and however much that session holds. A dead session answers too, so that expiry can
 * be told from guessing, and so does the token from before the last renewal, so that its reuse can.
 */
export function loadOperation(names: TableNames): SharedOperation<PresentedToken, LoadResult> {
  const single = loadOne(names)
  return {
    single: () => single,
    batch: loadMany(names),
    sessionOf: ({ id }) => id,
    isExclusive: false,
    sizeOf: () => 0,
  }
}

function loadOne({ session, sessionData }: TableNames): Operation<PresentedToken, LoadResult> {
  return operation({
    name: 'load',
    effect: 'none',
    parameters: { id: uuid, hashes: list(bytes) },
    give: ({ id, secretHashes }: PresentedToken) => ({ id, hashes: secretHashes }),
    // Served by both primary keys.
    sql: ({ id, hashes }) => ({
      answer: `
        select ${packRecord(`s.secret_hash = any (${hashes})`)} || (
            select ${PACKED_ENTRIES}
            from ${sessionData}
            where session_id = ${id} and ${opensTo(hashes)}
          ) as packed
        from ${session} as s
        where s.id = ${id}
          and (s.secret_hash = any (${hashes}) or s.previous_hash = any (${hashes}))`,
    }),
    packed: (answer) => (answer.isAtEnd ? UNKNOWN : (readLoaded(answer) ?? UNKNOWN)),
  })
}

type Loads = readonly (LoadResult | null)[]

function loadMany({
  session,
  sessionData,
}: TableNames): Operation<readonly PresentedToken[], Loads> {
  return operation({
    name: 'load_many',
    effect: 'none',
    parameters: { ids: list(uuid), hashes: list(bytes) },
    give: (tokens: readonly PresentedToken[]) => {
      const asked = tokens.flatMap(({ id, secretHashes }) =>
        secretHashes.map((hash) => ({ id, hash })),
      )
      return { ids: asked.map(({ id }) => id), hashes: asked.map(({ hash }) => hash) }
    },
    sql: ({ ids, hashes }) => ({
      answer: `
        select int4send(a.n::int4) || ${packRecord('s.secret_hash = a.hash')} || (
            select case
                when sum(octet_length(key) + octet_length(value)) > ${MOST_SHARED_BYTES}
                  then int4send(-1)
                else ${PACKED_ENTRIES}
              end
            from ${sessionData}
            where session_id = s.id and (s.secret_hash = a.hash or s.previous_until > now())
          ) as packed
        from unnest(${ids}, ${hashes}) with ordinality as a (id, hash, n)
          join ${session} as s on s.id = a.id
            and (s.secret_hash = a.hash or s.previous_hash = a.hash)`,
    }),
    packed(answer, tokens) {
      const found = new Map<number, LoadResult | null>()
      while (!answer.isAtEnd) found.set(answer.int() - 1, readLoaded(answer))
      let position = 0
      return tokens.map(({ secretHashes }): LoadResult | null => {
        const positions = secretHashes.map(() => position++)
        const hit = positions.find((at) => found.has(at))
        return hit === undefined ? UNKNOWN : (found.get(hit) ?? null)
      })
    },
  })
}

const UNKNOWN: LoadResult = { status: 'unknown' }

/** How many entries there are, then each key and each value after its length. */
const PACKED_ENTRIES = `int4send(count(*)::int4) || coalesce(string_agg(
              int4send(octet_length(key)) || key || int4send(octet_length(value)) || value, ''
            ), '')`

function packRecord(isCurrent: string): string {
  return `boolsend(${isCurrent}) || ${packSummary('s')} || ${previousToken.pack('s')}`
}

/** Null when the session holds too much for a shared statement. */
function readLoaded(answer: AnswerBytes): LoadResult | null {
  const isCurrent = answer.boolean()
  const summary = readSummary(answer)
  const previous = previousToken.read(answer)
  const entries = readEntries(answer)
  if (entries === null) return null
  const { id, userId, expiresAt, now } = summary
  const isGrace = previous !== null && previous.until > now
  const isOpen = isCurrent || isGrace
  if (expiresAt <= now) return isOpen ? { status: 'expired', id, userId } : UNKNOWN
  if (!isOpen) return { status: 'reused', id, userId }
  const token = isGrace ? { ...previous, isShown: !isCurrent } : null
  return { status: 'live', record: { ...summary, previousToken: token, entries } }
}

function readEntries(answer: AnswerBytes): Entry[] | null {
  const count = answer.int()
  if (count < 0) return null
  const entries: Entry[] = []
  for (let n = 0; n < count; n++) {
    const key = answer.take(answer.int())
    entries.push({ key, value: answer.take(answer.int()) })
  }
  return entries
}
