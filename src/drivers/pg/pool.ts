import { realTime } from '../../real-time.ts'
import type { PgClientLike } from './client.ts'
import { followEncoding, isGarbling } from './client-encoding.ts'
import type { PgListeningClientLike } from './listen.ts'

/** What `fromPg` needs of a pool; every `pg.Pool` has it. */
export interface PgPoolLike {
  connect(): Promise<PgPoolClientLike>
  connect(callback: (error: Error | undefined, client?: PgPoolClientLike) => void): void
  on(event: 'error', listener: (error: Error) => void): unknown
  /** The class and options of the pool's clients. Without these two, `sessions.watch` polls. */
  readonly Client?: new (
    options: object,
  ) => PgListeningClientLike
  readonly options?: object
  /** How many clients are connected and free, and how many calls of `connect` wait for one. */
  readonly idleCount?: number
  readonly waitingCount?: number
  /** Whether `end` was called: the pool then forgets the calls of `connect` that wait, and answers none of them. */
  readonly ending?: boolean
}

/** What `fromPg` needs of a client that a pool lends. */
export interface PgPoolClientLike extends PgClientLike {
  removeListener(event: 'error', listener: (error?: Error) => void): unknown
  release(destroy?: boolean): void
}

const firstUses = new WeakMap<PgPoolClientLike, number>()

/** When the driver had a client for the first time, by `realTime.now()`. */
export function firstUseOf(client: PgPoolClientLike): number {
  const first = firstUses.get(client) ?? realTime.now()
  firstUses.set(client, first)
  return first
}

const statuses = new WeakMap<PgClientLike, string>()

/** Follows what others do to a client: to its encoding, and to its transactions where its `pg` does not tell. */
export function followClient(client: PgClientLike): void {
  followEncoding(client)
  if (client.getTransactionStatus !== undefined || statuses.has(client)) return
  const { connection } = client as { connection?: { on?: unknown } }
  if (typeof connection?.on !== 'function') return
  statuses.set(client, 'I')
  connection.on('readyForQuery', ({ status }: { status: string }) => statuses.set(client, status))
}

const followed = new WeakSet<PgPoolLike>()

/** Follows each client of a pool from the start, before the application has it. */
export function followNewClients(pool: PgPoolLike): void {
  if (followed.has(pool)) return
  followed.add(pool)
  // Every pool of pg emits it; what others call a pool need not.
  const emitter = pool as object as {
    on(event: 'connect', listener: (client: PgPoolClientLike) => void): unknown
  }
  emitter.on('connect', followClient)
}

/** Whether other code has left a client from its pool in a state in which nothing can be sent on it. */
export function isSpoilt(client: PgPoolClientLike): boolean {
  return isInTransaction(client) || isGarbling(client)
}

/**
 * Whether a client is inside a transaction. A client that comes from its pool like that was released too
 * early: what is written on it may be rolled back, or was refused already.
 */
export function isInTransaction(client: PgClientLike): boolean {
  const status = client.getTransactionStatus?.() ?? statuses.get(client)
  return status === 'T' || status === 'E'
}

/** A statement ran inside a transaction that the application had left open. It was rolled back. */
export class InTransactionError extends Error {
  readonly code: string = 'ENOTCONN'

  constructor() {
    super(
      'A client came from the pool inside a transaction that the application had begun, so the statement was rolled back with it. Release clients only after commit or rollback',
    )
  }

  override get name(): string {
    return 'InTransactionError'
  }
}

/** The application has ended the pool while calls waited for a connection. It has the pool's own words for later calls. */
export class EndedPoolError extends Error {
  constructor() {
    super('Cannot use a pool after calling end on the pool')
  }

  override get name(): string {
    return 'EndedPoolError'
  }
}

const survivors = new WeakSet<object>()

/**
 * Keeps an error event without a listener from ending the process. A pool removes idle clients that die
 * if it has a listener itself; the error of a client that is lent reaches its user only.
 */
export function surviveErrors(emitter: {
  on(event: 'error', listener: () => void): unknown
}): void {
  if (survivors.has(emitter)) return
  survivors.add(emitter)
  emitter.on('error', () => {})
}
