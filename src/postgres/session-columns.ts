import type { PreviousToken, SessionSummary, SessionTimes } from '../store/session-store.ts'
import type { AnswerBytes } from './answer-bytes.ts'

/** The columns of the table of sessions, and whether each must have a value. */
interface SessionColumns {
  readonly id: string
  readonly secret_hash: string
  readonly previous_hash?: string
  readonly previous_until?: string
  readonly sealed_successor?: string
  readonly user_id?: string
  readonly sign_ins?: string
  readonly created_at: string
  readonly authenticated_at?: string
  readonly last_access_at: string
  readonly token_issued_at: string
  readonly expires_at: string
  readonly absolute_expires_at: string
  readonly purge_at: string
  readonly own_idle_ms?: string
  readonly tags?: string
  readonly actor_id?: string
  readonly actor_session?: string
}

/** Writes the insertion of sessions: an expression for each column, and where their values come from. */
export function insertSessions(session: string, columns: SessionColumns, from: string): string {
  return `insert into ${session} (${Object.keys(columns).join(', ')})
        select ${Object.values(columns).join(', ')}
        ${from}`
}

/** How a column travels to the client: the bytes that it becomes, and how they are read. */
interface PackedColumn<Value> {
  readonly column: string
  pack(expression: string): string
  read(bytes: AnswerBytes): Value
}

const time = (column: string): PackedColumn<number> => ({
  column,
  pack: (expression) => `timestamptz_send(${expression})`,
  read: (bytes) => bytes.time(),
})

const timeOrNull = (column: string): PackedColumn<number | null> => ({
  column,
  pack: (expression) => `timestamptz_send(coalesce(${expression}, '-infinity'))`,
  read: (bytes) => finiteOrNull(bytes.time()),
})

/** What travels of a session's times, by the property that it becomes. */
const TIMES = {
  createdAt: time('created_at'),
  authenticatedAt: timeOrNull('authenticated_at'),
  lastAccessAt: time('last_access_at'),
  tokenIssuedAt: time('token_issued_at'),
  expiresAt: time('expires_at'),
  absoluteExpiresAt: time('absolute_expires_at'),
  purgeAt: time('purge_at'),
  now: time('now()'),
} as const satisfies { [Property in keyof SessionTimes]: PackedColumn<SessionTimes[Property]> }

const SUMMARY = {
  id: {
    column: 'id',
    pack: (expression) => `uuid_send(${expression})`,
    read: (bytes) => bytes.uuid(),
  },
  userId: {
    column: 'user_id',
    pack: packText,
    read: (bytes) => bytes.sized()?.toString() ?? null,
  },
  ownIdleTimeout: {
    column: 'own_idle_ms',
    pack: (expression) => `int8send(coalesce(${expression}, 0))`,
    read: (bytes) => bytes.bigint() || null,
  },
  version: {
    column: 'sign_ins',
    pack: (expression) => `int4send(${expression})`,
    read: (bytes) => String(bytes.int()),
  },
  ...TIMES,
} as const satisfies {
  [Property in keyof Required<
    Omit<SessionSummary, 'isRotationDue' | 'device' | 'tags' | 'actor' | 'elevation'>
  >]: PackedColumn<SessionSummary[Property]>
}

/** The columns of a session's times, to return them from a change. */
export const TIME_COLUMNS: string = Object.values(TIMES)
  .map(({ column }) => column)
  .filter((column) => column !== 'now()')
  .join(', ')

/** The same, of a table that stands beside others. */
export function timesOf(table: string): string {
  return TIME_COLUMNS.split(', ')
    .map((column) => `${table}.${column}`)
    .join(', ')
}

/** A session's times as bytes, of the columns of `table`. */
export function packTimes(table: string): string {
  return packAll(Object.values(TIMES), table)
}

export function readTimes(bytes: AnswerBytes): SessionTimes {
  return {
    createdAt: TIMES.createdAt.read(bytes),
    authenticatedAt: TIMES.authenticatedAt.read(bytes),
    lastAccessAt: TIMES.lastAccessAt.read(bytes),
    tokenIssuedAt: TIMES.tokenIssuedAt.read(bytes),
    expiresAt: TIMES.expiresAt.read(bytes),
    absoluteExpiresAt: TIMES.absoluteExpiresAt.read(bytes),
    purgeAt: TIMES.purgeAt.read(bytes),
    now: TIMES.now.read(bytes),
  }
}

/** A session's row without its token, as bytes. */
export function packSummary(table: string): string {
  return `${packAll(Object.values(SUMMARY), table)} || ${packRare(table)}`
}

/** What few sessions have, behind one byte that says whether this one does. */
function packRare(table: string): string {
  const actor = `${packText(`${table}.actor_id`)} || ${packText(`${table}.actor_session::text`)}`
  const elevation = `${packText(`${table}.factor`)} || ${ELEVATED_AT.pack(`${table}.elevated_at`)}`
  return `case when ${table}.actor_id is null and ${table}.elevated_at is null then boolsend(false)
            else boolsend(true) || ${actor} || ${elevation} end`
}

const ELEVATED_AT = timeOrNull('elevated_at')

function readRare(bytes: AnswerBytes): Pick<SessionSummary, 'actor' | 'elevation'> {
  const userId = bytes.sized()?.toString()
  const sessionId = bytes.sized()?.toString() ?? ''
  const factor = bytes.sized()?.toString() ?? ''
  const at = ELEVATED_AT.read(bytes)
  return {
    ...(userId === undefined ? {} : { actor: { userId, sessionId } }),
    ...(at === null ? {} : { elevation: { factor, at } }),
  }
}

/** Written out, since copying the object of `readTimes` costs several times of making one. */
export function readSummary(bytes: AnswerBytes): SessionSummary {
  const summary: SessionSummary = {
    id: SUMMARY.id.read(bytes),
    userId: SUMMARY.userId.read(bytes),
    ownIdleTimeout: SUMMARY.ownIdleTimeout.read(bytes),
    version: SUMMARY.version.read(bytes),
    createdAt: TIMES.createdAt.read(bytes),
    authenticatedAt: TIMES.authenticatedAt.read(bytes),
    lastAccessAt: TIMES.lastAccessAt.read(bytes),
    tokenIssuedAt: TIMES.tokenIssuedAt.read(bytes),
    expiresAt: TIMES.expiresAt.read(bytes),
    absoluteExpiresAt: TIMES.absoluteExpiresAt.read(bytes),
    purgeAt: TIMES.purgeAt.read(bytes),
    now: TIMES.now.read(bytes),
  }
  return bytes.boolean() ? Object.assign(summary, readRare(bytes)) : summary
}

/** A session's row as lists show it: with its device and tags, which no load reads. */
export function packListed(table: string): string {
  return `${packSummary(table)} || ${packText(`${table}.device::text`)} || ${packTags(`${table}.tags`)}`
}

/** Tags as bytes. */
export function packTags(tags: string): string {
  return packText(`array_to_json(${tags})::text`)
}

export function readTags(bytes: AnswerBytes): readonly string[] {
  return JSON.parse(bytes.sized()?.toString() ?? '[]')
}

export function readListed(bytes: AnswerBytes): SessionSummary {
  const summary = readSummary(bytes)
  const device = bytes.sized()?.toString()
  const tags = readTags(bytes)
  return {
    ...summary,
    ...(device === undefined ? {} : { device }),
    ...(tags.length === 0 ? {} : { tags }),
  }
}

/** The token before the one in force, which may be dead; null when there is none. */
export const previousToken: {
  pack(table: string): string
  read(bytes: AnswerBytes): Pick<PreviousToken, 'until' | 'successor'> | null
} = {
  pack: (table) =>
    `${timeOrNull('').pack(`${table}.previous_until`)} || coalesce(
            int4send(octet_length(${table}.sealed_successor)) || ${table}.sealed_successor, int4send(-1)
          )`,
  read(bytes) {
    const until = finiteOrNull(bytes.time())
    const successor = bytes.sized()
    return until === null ? null : { until, successor }
  },
}

function packAll(columns: readonly Omit<PackedColumn<unknown>, 'read'>[], table: string): string {
  return columns
    .map(({ column, pack }) => pack(column === 'now()' ? column : `${table}.${column}`))
    .join(' || ')
}

/** Text after its length in bytes; null as a length of -1. */
export function packText(expression: string): string {
  // Of a literal, a function of the application's that takes text would be preferred to the server's own.
  const encoded = `convert_to(${expression}, 'UTF8'::name)`
  return `coalesce(int4send(octet_length(${encoded})) || ${encoded}, int4send(-1))`
}

function finiteOrNull(value: number): number | null {
  return value === Number.NEGATIVE_INFINITY ? null : value
}
