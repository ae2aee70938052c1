import { jsonCodec } from '../../codec/json-codec.ts'
import { StoreUnavailableError } from '../../errors.ts'
import type { StatementRunner } from '../../postgres/statement-runner.ts'
import type { TableNames } from '../../postgres/table-names.ts'
import type { SealMoved } from '../../store/session-store.ts'
import { type IdentifySid, type RowReading, readRow } from '../connect-pg-simple/read-row.ts'
import { CLAIM_ELSEWHERE, REMEMBERED } from '../express-store/claim-elsewhere.ts'
import type { ImportProgress } from '../import-sessions.ts'
import type { FoundSession, MovableSession } from '../import-source.ts'
import { type ImportReport, ImportTally } from '../import-tally.ts'
import {
  type MoveOperation,
  type MoveOutcome,
  moveOperation,
  rehearseMove,
} from '../move-statement.ts'
import { passportUserId } from '../passport-user.ts'
import { pauseBeforeRetry } from '../pause-before-retry.ts'
import { sealedSessions } from '../session-importer.ts'
import type { RedisCommands } from './redis-commands.ts'

/** What an import from Redis needs. */
export interface RedisImportOptions {
  readonly redis: RedisCommands
  /** What the keys of sessions begin with: `sess:`. */
  readonly prefix: string
  readonly runner: StatementRunner
  readonly names: TableNames
  readonly identify: IdentifySid
  /** Milliseconds that a session without an expiry lives. */
  readonly idleTimeout: number
  /** Milliseconds from the move to the absolute deadline; `Infinity` for none. */
  readonly absoluteTimeout: number
  /** Sessions that are read and moved at a time. */
  readonly batchSize: number
  readonly dryRun: boolean
  /** Encrypts the values of sessions that move. */
  readonly seal?: SealMoved | undefined
  readonly signal: AbortSignal
  readonly onProgress: (progress: ImportProgress) => void
}

/** Tries of a batch whose answer got lost, or of sessions that another process is moving. */
const TRIES = 6
const LARGEST = 4_194_304

/**
 * Moves the sessions that connect-redis keeps, batch by batch, beside the traffic of processes that have switched
 * over with `fallback: { store }`.
 *
 * One statement makes the sessions of a batch here and leaves their marks; then they are removed in Redis. It can be
 * stopped or killed at any moment, and run again or several times at once: the marks decide, as they do for a
 * session that a request moves.
 *
 * @throws {StoreUnavailableError} Redis or the database stayed away. What has been moved stays moved.
 */
export async function importRedis(options: RedisImportOptions): Promise<ImportReport> {
  const { redis, prefix, batchSize, signal, onProgress } = options
  const total = Number(await redis.send(['DBSIZE']))
  const batches = new RedisBatches(options)
  const pattern = `${prefix.replaceAll(/[*?[\]\\]/g, String.raw`\$&`)}*`
  let cursor = '0'
  do {
    if (signal.aborted) return batches.tally.report(false)
    const scan = ['SCAN', cursor, 'MATCH', pattern, 'COUNT', String(batchSize)]
    const [next, keys] = (await redis.send(scan)) as [unknown, string[]]
    cursor = String(next)
    for (let start = 0; start < keys.length; start += batchSize) {
      await batches.move(keys.slice(start, start + batchSize))
    }
    onProgress({ moved: batches.tally.moved, seen: batches.tally.seen, total })
  } while (cursor !== '0')
  return batches.tally.report(true)
}

class RedisBatches {
  readonly tally: ImportTally = new ImportTally()
  readonly #options: RedisImportOptions
  readonly #reading: RowReading
  readonly #moving: MoveOperation

  constructor(options: RedisImportOptions) {
    const { names, absoluteTimeout, dryRun, identify, idleTimeout } = options
    this.#options = options
    this.#reading = { identify, codec: jsonCodec, userId: passportUserId, ttl: idleTimeout }
    this.#moving = dryRun
      ? rehearseMove(names)
      : moveOperation(names, CLAIM_ELSEWHERE, absoluteTimeout)
  }

  async move(keys: readonly string[]): Promise<void> {
    const found = await this.#read(keys)
    this.tally.countRest(found)
    let left = found.map(({ content }) => content).filter(isMovable)
    let isInDoubt = false
    for (let attempt = 1; left.length > 0; attempt++) {
      const outcomes = await this.#ask(left, attempt)
      if (outcomes === null) isInDoubt = true
      else {
        // After a lost answer, those that are here may be what the first attempt has moved.
        const settled = outcomes.map((outcome) =>
          outcome === 'known' && isInDoubt ? 'moved' : outcome,
        )
        await this.#remove(left.filter((_, index) => settled[index] === 'moved'))
        const isLast = attempt === TRIES
        for (const outcome of settled) if (outcome !== 'busy' || isLast) this.tally.count(outcome)
        left = isLast ? [] : left.filter((_, index) => settled[index] === 'busy')
      }
      if (left.length > 0) await pauseBeforeRetry(attempt)
    }
  }

  /** Reads values and lifetimes. A key that goes meanwhile counts as expired. */
  async #read(keys: readonly string[]): Promise<FoundSession[]> {
    if (keys.length === 0) return []
    const { redis, prefix, idleTimeout } = this.#options
    const [values, ...lifetimes] = await Promise.all([
      redis.send(['MGET', ...keys]) as Promise<(string | null)[]>,
      ...keys.map((key) => redis.send(['PTTL', key])),
    ])
    return keys.map((key, index) => {
      const text = values[index] ?? null
      const left = Number(lifetimes[index])
      const lifetime = left === NO_EXPIRY ? idleTimeout : left
      const isLive = text !== null && lifetime > 0
      const row = {
        sid: key.slice(prefix.length),
        sess: text !== null && text.length <= LARGEST ? text : null,
        version: String(lifetime),
        deadline: Date.now() + lifetime,
        isLive,
      }
      return readRow(row, this.#reading)
    })
  }

  /** Null when it is not known whether they were moved. */
  async #ask(
    sessions: readonly MovableSession[],
    attempt: number,
  ): Promise<readonly MoveOutcome[] | null> {
    const remembered = sessions.map((session) => ({
      ...session,
      rememberFor: Math.max(session.rememberFor, REMEMBERED),
    }))
    try {
      const sealed = await sealedSessions(remembered, this.#options.seal)
      return await this.#options.runner.ask(this.#moving, sealed)
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || attempt === TRIES) throw error
      return null
    }
  }

  async #remove(sessions: readonly MovableSession[]): Promise<void> {
    const { redis, prefix, dryRun } = this.#options
    if (sessions.length === 0 || dryRun) return
    await redis.send(['DEL', ...sessions.map(({ key }) => prefix + key)])
  }
}

/** What PTTL answers of a key that never expires. */
const NO_EXPIRY = -1

function isMovable(content: FoundSession['content']): content is MovableSession {
  return content.status === 'movable'
}
