import { SchemaError, StoreError, StoreUnavailableError } from '../../errors.ts'
import { foreignTables, readWaiCatalog } from '../../haskell/table-shape.ts'
import { waiTableNames } from '../../haskell/wai-table-names.ts'
import type { Driver } from '../../postgres/driver.ts'
import type { Operation } from '../../postgres/operation.ts'
import { StatementRunner } from '../../postgres/statement-runner.ts'
import type { TableNames } from '../../postgres/table-names.ts'
import type { CallOptions } from '../../store/deadline.ts'
import type { SealMoved } from '../../store/session-store.ts'
import type { Adoption, MovingFallback } from '../moving-store.ts'
import { SessionImporter } from '../session-importer.ts'
import { oneMoment } from './repeatable-read.ts'
import { LEFT_BY_MAPPING, type MapSession } from './wai-mapping.ts'
import { type WaiFinding, WaiSource } from './wai-source.ts'

/** What a {@link WaiFallback} needs. */
export interface WaiFallbackOptions {
  readonly driver: Driver
  /** Milliseconds that a call may take. */
  readonly deadline: number
  /** Our tables; they must be there. */
  readonly names: TableNames
  readonly schema: string
  readonly timeout: number
  readonly map: MapSession
  /** Milliseconds from the move to the absolute deadline; `Infinity` for none. */
  readonly absoluteTimeout: number
}

const TRIES = 8

/**
 * Sessions that are still in the tables of wai-session-postgresql. Each is moved when its user returns.
 *
 * Of several processes one moves it, and the others wait for that. What a Haskell handler still writes
 * into a session that has moved fails there, as it does for a session that was purged.
 */
export class WaiFallback implements MovingFallback<string> {
  readonly #runner: StatementRunner
  readonly #source: WaiSource
  readonly #mover: SessionImporter
  readonly #find: Operation<string, WaiFinding>
  readonly #options: WaiFallbackOptions

  /** @throws {ConfigurationError} The schema's name cannot be one. */
  constructor(options: WaiFallbackOptions) {
    const { driver, deadline, names, absoluteTimeout } = options
    this.#options = options
    this.#runner = new StatementRunner(driver, deadline)
    this.#source = new WaiSource({ ...options, takesFlagged: true })
    this.#find = this.#source.find(names)
    const runner = new StatementRunner(oneMoment(driver), deadline)
    this.#mover = new SessionImporter({ runner, names, source: this.#source, absoluteTimeout })
  }

  /** Encrypts the values of sessions that move from now on. */
  sealBy(seal: SealMoved): void {
    this.#mover.sealBy(seal)
  }

  /**
   * Moves the session of this key, if it is there and alive.
   *
   * @throws {SchemaError} The original's tables are missing.
   * @throws {StoreUnavailableError} The database did not answer, or others hold the row all the time.
   */
  async adopt(key: string, options?: CallOptions): Promise<Adoption> {
    const deadline = options?.deadline ?? this.#runner.begin()
    let wasKnown = false
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      const { isHere, row } = await this.#ask(() => this.#runner.ask(this.#find, key, deadline))
      if (isHere) return { status: 'adopted', isFlagged: false, undecodable: [] }
      if (row === null) return { status: 'absent' }
      const { content } = this.#source.read(row)
      if (content.status === 'unreadable' && content.problem !== LEFT_BY_MAPPING) {
        return { status: 'absent', problem: content.problem }
      }
      if (content.status !== 'movable') return { status: 'absent' }
      const [outcome] = await this.#ask(() => this.#mover.move([content], 'wait', deadline))
      // Either another request was faster, which the next look shows, or it ended here and its row was put back.
      if (outcome === 'known' && wasKnown) return { status: 'absent' }
      wasKnown = outcome === 'known'
      if (outcome === 'moved') {
        const { undecodable = [] } = content
        return { status: 'adopted', isFlagged: row.isFlagged, undecodable }
      }
    }
    throw new StoreUnavailableError(
      'The session is changed in the old tables faster than it can be moved. Nothing was written.',
      'none',
    )
  }

  async #ask<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof SchemaError || error instanceof StoreError)) throw error
      const { driver, schema, deadline } = this.#options
      const names = waiTableNames(schema)
      const { faults, hasTables } = await readWaiCatalog(driver, names, deadline)
      if (faults.length > 0) throw foreignTables(names, faults)
      if (hasTables) throw error
      throw new SchemaError(
        'ERR_SCHEMA_MISSING',
        `The tables of wai-session-postgresql are not in schema '${schema}'. Name theirs, or leave out the move when all sessions have come over.`,
      )
    }
  }
}
