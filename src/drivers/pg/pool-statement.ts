import type { Row, Statement } from '../../postgres/driver.ts'
import { realTime } from '../../real-time.ts'
import { inThisContext } from '../../telemetry/request-context.ts'
import { markStartupFailure } from '../failures/startup-failure.ts'
import { isAboutStatement } from '../waiting/about-statement.ts'
import { type Alarm, setAlarm } from '../waiting/alarm.ts'
import { DeadlineError } from '../waiting/deadline.ts'
import type { ReadOnlyServer } from '../waiting/read-only-server.ts'
import type { Turns } from '../waiting/turns.ts'
import { type AskOptions, queryOf } from './client.ts'
import {
  EndedPoolError,
  firstUseOf,
  followClient,
  InTransactionError,
  isInTransaction,
  isSpoilt,
  type PgPoolClientLike,
  type PgPoolLike,
  surviveErrors,
} from './pool.ts'
import { isLostStatement, prepareAgain } from './statement-names.ts'

type PoolOptions = AskOptions & { readonly timeout: number }

/** Bounds how many calls ask a pool for a client at the same time, since none can be withdrawn from it. */
export interface BoundedPool {
  readonly pool: PgPoolLike
  readonly turns: Turns
  readonly readOnly: ReadOnlyServer
}

/**
 * Runs one statement on any client of a pool.
 *
 * Every request goes through here: while clients are free it makes one promise and one timer.
 */
export async function askPool(
  bounded: BoundedPool,
  statement: Statement,
  { timeout, ...options }: PoolOptions,
): Promise<readonly Row[]> {
  const endsAt = realTime.now() + timeout
  const endTurn = bounded.turns.takeNow() ?? (await takeTurn(bounded, timeout))
  const left = Math.max(1, endsAt - realTime.now())
  return await new Promise((resolve, reject) => {
    const call = new PoolCall(
      statement,
      { ...options, timeout: left },
      { resolve, reject, endTurn },
      bounded,
    )
    call.begin()
  })
}

/**
 * Waits for a turn.
 *
 * @throws {EndedPoolError} The pool has been ended, so the calls whose turn it is may wait for it in vain.
 */
export async function takeTurn(
  { pool, turns }: BoundedPool,
  timeout: number | undefined,
): Promise<() => void> {
  if (pool.ending) throw new EndedPoolError()
  return await turns.take(timeout).catch((error: unknown) => {
    throw pool.ending ? new EndedPoolError() : error
  })
}

/** Whether a call of `connect` gets its client at once, without queueing. */
function hasIdleClient({ idleCount = 0, waitingCount = 0 }: PgPoolLike): boolean {
  return idleCount > waitingCount
}

interface Settlement {
  resolve(rows: readonly Row[]): void
  reject(error: unknown): void
  endTurn(): void
}

/** How often a client may lose its statements before the pool replaces it. */
const LOSSES = 3

class PoolCall {
  readonly #statement: Statement
  readonly #options: PoolOptions
  readonly #settlement: Settlement
  readonly #bounded: BoundedPool
  readonly #alarm: Alarm
  #client: PgPoolClientLike | undefined
  #isOver = false

  constructor(
    statement: Statement,
    options: PoolOptions,
    settlement: Settlement,
    bounded: BoundedPool,
  ) {
    this.#bounded = bounded
    this.#statement = statement
    this.#options = options
    this.#settlement = settlement
    this.#alarm = setAlarm(options.timeout, () => this.#giveUp())
  }

  begin(): void {
    try {
      const { pool } = this.#bounded
      const connected = (error: unknown, client: PgPoolClientLike | undefined): void =>
        this.#connected(error, client)
      // A pool answers a call that has queued in the context of the request that releases the client. Keeping
      // this one's costs as much as the rest of the call, and keeps its answer past many collections of garbage.
      pool.connect(hasIdleClient(pool) ? connected : inThisContext(connected))
    } catch (error) {
      // A pool makes its client at once, and a client reads the files its settings name.
      this.#failStartup(error)
    }
  }

  #connected(error: unknown, client: PgPoolClientLike | undefined): void {
    if (client === undefined) return this.#failStartup(error)
    surviveErrors(client)
    followClient(client)
    if (isSpoilt(client) || this.#bounded.readOnly.isBefore(firstUseOf(client))) {
      client.release(true)
      if (this.#isOver) this.#settlement.endTurn()
      else this.begin()
      return
    }
    if (this.#isOver) return this.#giveBack(client, false)
    this.#client = client
    this.#send(client, true)
  }

  #send(client: PgPoolClientLike, mayRepeat: boolean): void {
    const query = queryOf(client, this.#statement, this.#options.prepare)
    client.query(query, (failure, answer) => {
      if (this.#isOver) return
      if (mayRepeat && isLostStatement(failure) && prepareAgain(client, LOSSES)) {
        return this.#send(client, false)
      }
      this.#answered(client, failure, answer?.rows)
    })
  }

  #answered(client: PgPoolClientLike, failure: unknown, rows: readonly Row[]): void {
    this.#end()
    if (failure !== null) {
      this.#bounded.readOnly.note(failure)
      this.#giveBack(client, !isAboutStatement(failure) || isInTransaction(client))
      return this.#settlement.reject(failure)
    }
    try {
      if (isInTransaction(client)) throw new InTransactionError()
      this.#options.check?.(rows)
    } catch (problem) {
      this.#giveBack(client, true)
      return this.#settlement.reject(problem)
    }
    this.#giveBack(client, false)
    this.#settlement.resolve(rows)
  }

  #failStartup(error: unknown): void {
    this.#end()
    markStartupFailure(error)
    this.#settlement.endTurn()
    this.#settlement.reject(error)
  }

  #giveUp(): void {
    this.#end()
    const client = this.#client
    // A client in the middle of a statement is out of step with its next user.
    if (client !== undefined) this.#giveBack(client, true)
    const phase = client === undefined ? 'connect' : 'read'
    const isForgotten = client === undefined && this.#bounded.pool.ending
    this.#settlement.reject(
      isForgotten ? new EndedPoolError() : new DeadlineError(this.#options.timeout, phase),
    )
  }

  #end(): void {
    this.#isOver = true
    this.#alarm.clear()
  }

  #giveBack(client: PgPoolClientLike, destroy: boolean): void {
    client.release(destroy)
    this.#settlement.endTurn()
  }
}
