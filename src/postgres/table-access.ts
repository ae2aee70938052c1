import { SchemaError, SessionsClosedError } from '../errors.ts'
import { isRequestBoundRuntime } from '../options/request-bound-runtime.ts'
import { realTime } from '../real-time.ts'
import type { CallOptions, Deadline } from '../store/deadline.ts'
import { ALONE, SHARED } from './batch-limits.ts'
import { Batcher, type SharedOperation, type Upstream } from './batcher.ts'
import type { Driver } from './driver.ts'
import type { Operation } from './operation.ts'
import { StatementRunner, timedOut } from './statement-runner.ts'

/** What a store needs to reach its tables. */
export interface TableAccessOptions {
  readonly driver: Driver
  /** Milliseconds that a call may take, repeats included. */
  readonly deadline: number
  /** Whether calls that wait at the same moment share one statement. Defaults to `true`. */
  readonly groupCommit?: boolean | undefined
  /** Names the preparation in errors. */
  readonly preparation: string
  /** Creates or checks the tables. Called before the first call, and again when they turn out to be missing. */
  prepare(): Promise<void>
  /** Turns a failure of a call into the error that callers get. */
  explain?(error: unknown): Promise<unknown>
  /** Whether a failed call, which has had no effect, is worth another one after the tables are prepared again. */
  isOutdated?(error: unknown): boolean
}

/** A call that can share its statement with others. */
export interface SharedCall<Call, Answer> extends Upstream {
  run(call: Call, options?: CallOptions): Promise<Answer>
}

/**
 * Lets a store's calls reach its tables: prepares them once before the first call, counts the calls in flight,
 * and ends when the last one is answered.
 */
export class TableAccess {
  readonly runner: StatementRunner
  readonly #options: TableAccessOptions
  #inFlight = 0
  #onIdle: (() => void) | null = null
  #isReady = false
  #isClosed = false
  #preparing: Promise<void> | null = null

  constructor(options: TableAccessOptions) {
    this.#options = options
    this.runner = new StatementRunner(options.driver, options.deadline)
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Prepares the tables, also when they were there before. Concurrent callers share one attempt. */
  async ready(): Promise<void> {
    if (this.#isClosed) throw new SessionsClosedError()
    await this.#prepareOnce()
  }

  /**
   * Asks an operation, by a statement of its own.
   *
   * @throws {SessionsClosedError} After `close()`, as every other call does.
   * @throws As `StatementRunner.ask` does.
   */
  ask<Call, Answer>(
    operation: Operation<Call, Answer>,
    call: Call,
    options?: CallOptions,
  ): Promise<Answer> {
    return this.use(options, (deadline) => this.runner.ask(operation, call, deadline))
  }

  /** Makes the calls of an operation share statements, if the store's calls do. */
  share<Call, Answer>(
    operation: SharedOperation<Call, Answer>,
    upstream?: Upstream,
  ): SharedCall<Call, Answer> {
    // A promise of one request settles none of another where these are kept apart.
    const isAlone = this.#options.groupCommit === false || isRequestBoundRuntime()
    const limits = isAlone ? ALONE : SHARED
    const batcher = new Batcher(this.runner, operation, limits, upstream)
    return {
      run: (call, options) => this.use(options, (deadline) => batcher.run(call, deadline)),
      onceAnswered: (listener) => batcher.onceAnswered(listener),
    }
  }

  /**
   * Prepares the tables if that is still to do, and lets `close()` wait for the call, which is given the
   * caller's budget, or the store's own when the caller has none.
   */
  use<Answer>(
    options: CallOptions | undefined,
    call: (deadline: Deadline) => Promise<Answer>,
  ): Promise<Answer> {
    if (this.#isClosed) return Promise.reject(new SessionsClosedError())
    return this.#callPrepared(options?.deadline ?? this.runner.begin(), call)
  }

  /** Takes no new calls, and resolves when those in flight are answered. */
  async close(): Promise<void> {
    this.#isClosed = true
    if (this.#inFlight > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve
      })
    }
    // The callers have their answers before the caller of `close` goes on.
    await new Promise<void>((resolve) => realTime.setImmediate(resolve))
  }

  /** Prepares the tables before the call, and once more if they were dropped or changed since. */
  async #callPrepared<Answer>(
    deadline: Deadline,
    call: (deadline: Deadline) => Promise<Answer>,
  ): Promise<Answer> {
    this.#inFlight++
    try {
      if (this.#isReady) {
        try {
          return await call(deadline)
        } catch (error) {
          // A statement on a missing table or column has had no effect.
          if (!isOfSchema(error) && this.#options.isOutdated?.(error) !== true) throw error
          this.#isReady = false
        }
      }
      await this.#prepareInTime(deadline)
      return await call(deadline)
    } catch (error) {
      throw (await this.#options.explain?.(error)) ?? error
    } finally {
      this.#settled()
    }
  }

  #settled(): void {
    this.#inFlight--
    if (this.#inFlight === 0) this.#onIdle?.()
  }

  /** Creating tables may take longer than a call may: the call gives up, the work goes on. */
  #prepareInTime(deadline: Deadline): Promise<void> {
    const { preparation } = this.#options
    const late = (): Error => timedOut({ name: preparation }, deadline.duration, 'none')
    return deadline.race(this.#prepareOnce(), late)
  }

  #prepareOnce(): Promise<void> {
    this.#preparing ??= this.#options
      .prepare()
      .then(() => {
        this.#isReady = true
      })
      .finally(() => {
        this.#preparing = null
      })
    return this.#preparing
  }
}

function isOfSchema(error: unknown): boolean {
  return error instanceof SchemaError
}
