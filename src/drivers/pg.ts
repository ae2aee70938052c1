import type { Connection, Driver, QueryOptions, Row, Statement } from '../postgres/driver.ts'
import { adviceForClient } from '../options/known-clients.ts'
import { ask, type PgClientLike, type PgOptions, queryOf, run } from './pg/client.ts'
import { listenBeside, listeningOptions, type PgListeningClientLike } from './pg/listen.ts'
import { isAboutStatement } from './waiting/about-statement.ts'
import { DeadlineError } from './waiting/deadline.ts'

export type { PgClientLike, PgOptions, PgQuery } from './pg/client.ts'
export type { PgListeningClientLike } from './pg/listen.ts'
export { ConnectionEndedError, fromPgClient } from './pg/single-connection.ts'
export { DeadlineError } from './waiting/deadline.ts'

/** What `fromPg` needs of a pool; every `pg.Pool` has it. */
export interface PgPoolLike {
  connect(): Promise<PgPoolClientLike>
  connect(callback: (error: Error | undefined, client?: PgPoolClientLike) => void): void
  on(event: 'error', listener: (error: Error) => void): unknown
  /** What the pool makes clients of. Without these two, `sessions.watch` asks now and then. */
  readonly Client?: new (
    options: object,
  ) => PgListeningClientLike
  readonly options?: object
}

/** What `fromPg` needs of a client that a pool lends. */
export interface PgPoolClientLike extends PgClientLike {
  removeListener(event: 'error', listener: (error?: Error) => void): unknown
  release(destroy?: boolean): void
}

/**
 * Makes a driver of a `pg.Pool`.
 *
 * The pool stays yours: it is never closed, its other users are not affected, and your type parsers
 * do not reach what sessions hold. A client that timed out or lost step with the server is
 * destroyed, never put back. A statement waits for a free client no longer than for its answer.
 * An idle connection that dies cannot end the process; your own listeners still hear of it.
 * `sessions.watch` listens on a connection of its own, made as the pool makes them and not counted by it.
 *
 * @throws {TypeError} It was given an address, a client, or anything else in the place of a pool.
 * @example
 * ```ts
 * import { Pool } from 'pg'
 * import { createSessions } from 'pg-sessions'
 * import { fromPg } from 'pg-sessions/pg'
 *
 * const pool = new Pool({ connectionString: process.env['DATABASE_URL'] })
 * const sessions = createSessions({ database: fromPg(pool) })
 * ```
 */
export function fromPg(pool: PgPoolLike, options: PgOptions = {}): Driver {
  refuseOtherThanPool(pool)
  const prepare = options.prepare ?? true
  const { Client, options: clientOptions } = pool
  surviveErrors(pool)
  return {
    name: 'pg',
    query: (statement, bounds) => askPool(pool, statement, { prepare, ...bounds }),
    async withConnection(use) {
      const client = await pool.connect()
      return await lend(client, async (loan) => {
        const connection: Connection = {
          query: (statement, bounds) => loan.watch(ask(client, statement, { prepare, ...bounds })),
          run: (sql) => loan.watch(run(client, sql)),
        }
        try {
          return await use(connection)
        } catch (error) {
          loan.spoil()
          throw error
        }
      })
    },
    ...(Client !== undefined &&
      clientOptions !== undefined && {
        listen: (channel, onMessage, onLost) =>
          listenBeside(new Client(listeningOptions(clientOptions)), channel, { onMessage, onLost }),
      }),
  }
}

/** Says which function or class was meant. Never shows what it was given: an address holds a password. */
function refuseOtherThanPool(pool: PgPoolLike): void {
  const isPool = typeof Object(pool).connect === 'function'
  // Some ORMs have a method of that name as well.
  const advice = 'totalCount' in Object(pool) ? undefined : adviceForClient(pool)
  if (!isPool || advice !== undefined) {
    const line = advice ?? 'Write fromPg(new Pool({ connectionString })).'
    throw new TypeError(`fromPg needs a Pool of the package pg. ${line}`)
  }
  if ('connectionParameters' in pool) {
    throw new TypeError(
      'fromPg needs a Pool and was given a Client. Write fromPg(new Pool({ connectionString })), or fromPgClient(client) for a script that has connected one.',
    )
  }
}

/**
 * Runs one statement on any client of a pool.
 *
 * This is on the path of every request: one promise, one timer, and callbacks for the rest.
 */
function askPool(
  pool: PgPoolLike,
  statement: Statement,
  { prepare, timeout, check }: QueryOptions & { readonly prepare: boolean },
): Promise<readonly Row[]> {
  return new Promise((resolve, reject) => {
    let lent: PgPoolClientLike | undefined
    let isOver = false
    const timer = setTimeout(() => {
      isOver = true
      // A client in the middle of a statement is out of step with its next user.
      lent?.release(true)
      reject(new DeadlineError(timeout, lent === undefined ? 'connect' : 'read'))
    }, timeout)

    pool.connect((error, client) => {
      if (client === undefined) {
        clearTimeout(timer)
        return reject(error)
      }
      if (isOver) return client.release()
      lent = client
      surviveErrors(client)
      client.query(queryOf(statement, prepare), (failure, answer) => {
        if (isOver) return
        clearTimeout(timer)
        isOver = true
        const problem = failure ?? problemWith(answer.rows, check)
        client.release(problem !== null && (failure === null || !isAboutStatement(failure)))
        if (problem === null) resolve(answer.rows)
        else reject(problem)
      })
    })
  })
}

/** What `check` throws; null for the right answer. */
function problemWith(rows: readonly Row[], check: QueryOptions['check']): unknown {
  try {
    check?.(rows)
    return null
  } catch (problem) {
    return problem
  }
}

/** One use of a client. */
interface Loan {
  /** Says that the pool must not have the client back. */
  spoil(): void
  /** Spoils the loan if a statement fails in a way that may leave the client out of step. */
  watch<Answer>(answer: Promise<Answer>): Promise<Answer>
}

async function lend<Result>(
  client: PgPoolClientLike,
  use: (loan: Loan) => Promise<Result>,
): Promise<Result> {
  let spoilt = false
  const spoil = (): void => {
    spoilt = true
  }
  const loan: Loan = {
    spoil,
    watch: (answer) =>
      answer.catch((error: unknown) => {
        if (!isAboutStatement(error)) spoil()
        throw error
      }),
  }
  surviveErrors(client)
  client.on('error', spoil)
  try {
    return await use(loan)
  } finally {
    client.removeListener('error', spoil)
    client.release(spoilt)
  }
}

const survivors = new WeakSet<object>()

/**
 * An error event without a listener ends the process. A pool listens to its idle clients and drops those that
 * die, if the pool itself has a listener; to a client that is lent only its user listens.
 */
function surviveErrors(emitter: { on(event: 'error', listener: () => void): unknown }): void {
  if (survivors.has(emitter)) return
  survivors.add(emitter)
  emitter.on('error', () => {})
}
