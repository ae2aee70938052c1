import { SchemaError, SessionsClosedError } from '../errors.ts'
import type { Driver } from '../postgres/driver.ts'
import { timedOut } from '../postgres/statement-runner.ts'
import type { WaiTablesMode } from './store-options.ts'
import { checkWaiTables, createWaiTables } from './tables.ts'
import type { WaiTableNames } from './wai-table-names.ts'

interface Preparation {
  readonly driver: Driver
  readonly names: WaiTableNames
  readonly mode: WaiTablesMode
  /** Milliseconds that a call may take. */
  readonly deadline: number
}

/** How long creating the tables may take beyond the deadline of ordinary calls. */
const CREATION_TIMEOUT = 60_000

/** Lets calls reach the tables: prepares those before the first, and ends once the last is answered. */
export class PreparedTables {
  readonly #preparation: Preparation
  readonly #underWay = new Set<Promise<unknown>>()
  #isReady = false
  #isClosed = false
  #preparing: Promise<void> | null = null

  constructor(preparation: Preparation) {
    this.#preparation = preparation
  }

  /** Concurrent callers share one attempt; after a failure the next caller tries again. */
  async ready(): Promise<void> {
    if (this.#isClosed) throw new SessionsClosedError()
    if (this.#isReady) return
    this.#preparing ??= this.#prepare().finally(() => {
      this.#preparing = null
    })
    await this.#preparing
  }

  /** @throws {SessionsClosedError} After `close()`. */
  async use<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    if (this.#isClosed) throw new SessionsClosedError()
    const call = this.#isReady ? ask() : this.#readyInTime().then(ask)
    this.#underWay.add(call)
    try {
      return await call
    } catch (error) {
      throw error instanceof SchemaError ? await this.#explain(error) : error
    } finally {
      this.#underWay.delete(call)
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.allSettled(this.#underWay)
    // The callers have their answers before close() resolves.
    await new Promise((resolve) => setImmediate(resolve))
  }

  /** Creating tables may take longer than a call may: the call gives up, the work goes on. */
  #readyInTime(): Promise<void> {
    const { deadline } = this.#preparation
    return new Promise((resolve, reject) => {
      const giveUp = (): void => reject(timedOut({ name: 'create_wai_tables' }, deadline, 'none'))
      const timer = setTimeout(giveUp, deadline)
      this.ready()
        .then(resolve, reject)
        .finally(() => clearTimeout(timer))
    })
  }

  /** Finds out what is wrong with the tables, in the words of their own check. */
  async #explain(error: SchemaError): Promise<unknown> {
    const { driver, names, deadline } = this.#preparation
    try {
      await checkWaiTables(driver, names, { read: deadline })
      return error
    } catch (better) {
      return better instanceof SchemaError ? better : error
    }
  }

  async #prepare(): Promise<void> {
    const { driver, names, mode, deadline } = this.#preparation
    const patience = { read: deadline, create: Math.max(deadline, CREATION_TIMEOUT) }
    if (mode === 'auto') await createWaiTables(driver, names, patience)
    else if (mode === 'check') await checkWaiTables(driver, names, patience)
    this.#isReady = true
  }
}
