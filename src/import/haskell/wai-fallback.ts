import { StoreUnavailableError } from '../../errors.ts'
import type { Driver } from '../../postgres/driver.ts'
import { StatementRunner } from '../../postgres/statement-runner.ts'
import type { TableNames } from '../../postgres/table-names.ts'
import { queryLegacyTable } from '../query-legacy-table.ts'
import { SessionImporter } from '../session-importer.ts'
import { oneMoment } from './repeatable-read.ts'
import type { MapSession } from './wai-mapping.ts'
import { WaiSource } from './wai-source.ts'

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

/** What became of the session of a key. */
export type Adoption = 'absent' | 'adopted' | 'adopted-flagged'

const TRIES = 8

/**
 * Sessions that are still in the tables of wai-session-postgresql. Each is moved when its user comes by.
 *
 * Of several processes one moves it, and the others wait for that. What a Haskell handler still writes
 * into a session that has moved fails there, as it does for a session that was purged.
 */
export class WaiFallback {
  readonly #runner: StatementRunner
  readonly #source: WaiSource
  readonly #mover: SessionImporter
  readonly #names: TableNames
  readonly #schema: string

  /** @throws {ConfigurationError} The schema's name cannot be one. */
  constructor(options: WaiFallbackOptions) {
    const { driver, deadline, names, absoluteTimeout, schema } = options
    this.#schema = schema
    this.#names = names
    this.#runner = new StatementRunner(driver, deadline)
    this.#source = new WaiSource({ ...options, takesFlagged: true })
    const runner = new StatementRunner(oneMoment(driver), deadline)
    this.#mover = new SessionImporter({ runner, names, source: this.#source, absoluteTimeout })
  }

  /**
   * Moves the session of this key, if it is there and alive.
   *
   * @throws {SchemaError} The original's tables are missing.
   * @throws {StoreUnavailableError} The database did not answer, or others hold the row all the time.
   */
  async adopt(key: string): Promise<Adoption> {
    let wasKnown = false
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      const find = this.#source.find(this.#names, key)
      const [row = {}] = await this.#ask(() => this.#runner.run(find, { repeatable: true }))
      if (row.is_here === 'true') return 'adopted'
      if (row.id === null || row.id === undefined) return 'absent'
      const { content } = this.#source.read(row)
      if (content.status !== 'movable') return 'absent'
      const [outcome] = await this.#ask(() => this.#mover.move([content], 'wait'))
      // Either somebody was faster, which the next look shows, or it ended here and its row was put back.
      if (outcome === 'known' && wasKnown) return 'absent'
      wasKnown = outcome === 'known'
      if (outcome === 'moved') return row.flagged === 'true' ? 'adopted-flagged' : 'adopted'
    }
    throw new StoreUnavailableError(
      'The session is changed in the old tables faster than it can be moved. Nothing was written.',
      'none',
    )
  }

  #ask<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    return queryLegacyTable(
      ask,
      `The tables of wai-session-postgresql are not in schema '${this.#schema}'. Name theirs, or leave out the move when all sessions have come over.`,
    )
  }
}
