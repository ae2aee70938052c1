import { StoreUnavailableError } from '../errors.ts'
import { readBatchSize } from '../options/batch-size.ts'
import type { StatementRunner } from '../postgres/statement-runner.ts'
import type { FoundSession, ImportSource, MovableSession } from './import-source.ts'
import { type ImportReport, ImportTally, movableOf } from './import-tally.ts'
import type { MoveOutcome } from './move-statement.ts'
import { pauseBeforeRetry } from './pause-before-retry.ts'
import { type MoverOptions, SessionImporter } from './session-importer.ts'

/** How an import goes about its work. */
export interface ImportOptions extends MoverOptions {
  /** Rows that are read and moved at a time. Defaults to 250. */
  readonly batchSize?: number
  /** Told after each batch. */
  readonly onProgress?: (progress: ImportProgress) => void
  /** Stops the import after the batch under way; what has been moved stays moved. */
  readonly signal?: AbortSignal
}

/** How far an import has come. */
export interface ImportProgress {
  readonly moved: number
  /** Rows looked at so far. */
  readonly seen: number
  /** Rows that were there when the import began. */
  readonly total: number
}

const PAGE_BYTES = 4_194_304
const TRIES = 6
/** Tries of a whole batch, before its sessions are moved one by one. */
const PATIENCE = 3

/**
 * Moves all live sessions of another system, batch by batch, beside the traffic of both.
 *
 * It can be stopped or killed at any moment, and run again or several times at once: a session is either
 * there or here. Rows that cannot be moved stay where they are, and the report says why. Rows that the
 * other system adds meanwhile may be left for another run.
 *
 * @throws {ConfigurationError} The batch size is not a whole number from 1 to 100 000.
 * @throws {StoreUnavailableError} The database stayed away. What has been moved stays moved.
 */
export async function importSessions(options: ImportOptions): Promise<ImportReport> {
  const { source, runner, signal, onProgress, batchSize = 250 } = options
  readBatchSize(batchSize)
  const { live, expired } = await runner.ask(source.count, undefined)
  const total = live + expired
  const batches = new Batches(options, { rows: batchSize, bytes: PAGE_BYTES })
  for (let after: string | null = null; !signal?.aborted; ) {
    after = await batches.next(after)
    if (after === null) return batches.tally.report(true)
    onProgress?.({ moved: batches.tally.moved, seen: batches.tally.seen, total })
  }
  return batches.tally.report(false)
}

class Batches {
  readonly tally: ImportTally = new ImportTally()
  readonly #source: ImportSource
  readonly #runner: StatementRunner
  readonly #mover: SessionImporter
  readonly #limits: { readonly rows: number; readonly bytes: number }

  constructor(options: MoverOptions, limits: { readonly rows: number; readonly bytes: number }) {
    this.#source = options.source
    this.#runner = options.runner
    this.#mover = new SessionImporter(options)
    this.#limits = limits
  }

  /**
   * Moves what the rows after this cursor hold, and tells where to go on; null at the end.
   *
   * A batch is read and tried again while some of it is busy, or an answer got lost: what was moved is
   * gone from there by then. So is what a request has moved between our reading and our moving; only
   * what is there a second time, though its session is known here, was written there late.
   */
  async next(after: string | null): Promise<string | null> {
    let late: ReadonlySet<string> = new Set()
    for (let attempt = 1; ; attempt++) {
      const page = await this.#read(after)
      const last = page.at(-1)
      if (last === undefined) return null
      const outcomes = await this.#move(page, attempt)
      if (outcomes !== null) {
        const known = keysOf(page, outcomes, 'known')
        const isSure = known.every((key) => late.has(key)) && !outcomes.includes('busy')
        const isSettled = isSure || attempt === TRIES
        late = new Set(known)
        for (const outcome of outcomes) {
          // What stays there is counted when the page is seen for the last time.
          if (outcome === 'moved' || isSettled) this.tally.count(outcome)
        }
        if (isSettled) {
          this.tally.countRest(page)
          return last.cursor
        }
      }
      await pauseBeforeRetry(attempt)
    }
  }

  async #read(after: string | null): Promise<FoundSession[]> {
    const found = await this.#runner.ask(this.#source.page, { after, ...this.#limits })
    return found.map((row) => this.#source.read(row))
  }

  /** Null when it is not known whether they were moved. */
  async #move(
    page: readonly FoundSession[],
    attempt: number,
  ): Promise<readonly MoveOutcome[] | null> {
    const sessions = movableOf(page)
    try {
      return await this.#mover.move(sessions)
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error
      if (attempt < PATIENCE) return null
      return this.#moveEach(sessions)
    }
  }

  /**
   * Moves one session at a time, when a batch fails again and again: one row that another connection holds or
   * changes must not keep back the others. It counts as busy while the database answers otherwise.
   */
  async #moveEach(sessions: readonly MovableSession[]): Promise<readonly MoveOutcome[]> {
    const outcomes: MoveOutcome[] = []
    for (const session of sessions) {
      try {
        outcomes.push(...(await this.#mover.move([session])))
      } catch (error) {
        if (!(error instanceof StoreUnavailableError)) throw error
        await this.#runner.ask(this.#source.count, undefined)
        outcomes.push('busy')
      }
    }
    return outcomes
  }
}

function keysOf(
  page: readonly FoundSession[],
  outcomes: readonly MoveOutcome[],
  wanted: MoveOutcome,
): string[] {
  return movableOf(page)
    .filter((_, index) => outcomes[index] === wanted)
    .map(({ key }) => key)
}
