import { timingSafeEqual } from 'node:crypto'
import { SessionsClosedError } from '../errors.ts'
import type {
  CreateResult,
  EntryUpdate,
  LoadResult,
  NewSession,
  ReplaceResult,
  SaveResult,
  SessionChange,
  SessionGuard,
  SessionStore,
  SessionSummary,
  StoreCounts,
  TakeResult,
  TokenProof,
  UpdateResult,
} from '../store/session-store.ts'
import type { Driver, Row, Statement } from './driver.ts'
import { fromHex, hex, hexArray, interval } from './encoding.ts'
import { checkSchema, migrate } from './migrate.ts'
import { readRecord, readSummary, readTimes } from './rows.ts'
import { type RunOptions, StatementRunner } from './statement-runner.ts'
import { type StoreStatements, storeStatements } from './statements.ts'
import { resolveTableNames, type TableNameOptions, type TableNames } from './table-names.ts'

/** What the store does about its tables when it is first used. */
export type MigrateMode = 'auto' | 'check' | 'off'

/** What a `PostgresStore` needs. `createSessions({ database })` makes one of the same settings. */
export interface PostgresStoreOptions extends TableNameOptions {
  readonly driver: Driver
  /** Defaults to `'auto'`: creates or upgrades the tables. */
  readonly migrate?: MigrateMode
  /** Milliseconds that a call may take, repeats included. Defaults to 5000. */
  readonly deadline?: number
  readonly log?: { info(facts: object, message: string): void }
}

type Guarded = SessionGuard & Pick<SessionChange, 'lifetime'>

/** How long a migration may take beyond the deadline of ordinary calls. */
const MIGRATION_TIMEOUT = 60_000

const ONCE = { repeatable: false } as const
const REPEATABLE = { repeatable: true } as const

/**
 * Keeps sessions in PostgreSQL: one statement for each call, each guarded by the session's row.
 *
 * @example
 * ```ts
 * const store = new PostgresStore({ driver: fromPg(pool), schema: 'web' })
 * const sessions = createSessions({ store })
 * ```
 */
export class PostgresStore implements SessionStore {
  readonly name = 'postgres'
  readonly #driver: Driver
  readonly #names: TableNames
  readonly #statements: StoreStatements
  readonly #runner: StatementRunner
  readonly #options: PostgresStoreOptions
  readonly #underWay = new Set<Promise<unknown>>()
  #isReady = false
  #preparing: Promise<void> | null = null
  #isClosed = false

  /** @throws {ConfigurationError} A table name cannot be one. */
  constructor(options: PostgresStoreOptions) {
    this.#options = options
    this.#driver = options.driver
    this.#names = resolveTableNames(options)
    this.#statements = storeStatements(this.#names)
    this.#runner = new StatementRunner(options.driver, options.deadline ?? 5000)
  }

  async ready(): Promise<void> {
    if (this.#isClosed) throw new SessionsClosedError()
    if (!this.#isReady) await this.#prepareOnce()
  }

  async load(proof: TokenProof): Promise<LoadResult> {
    const [row] = await this.#runFor(proof.id, 'load', [], REPEATABLE)
    if (row === undefined) return { status: 'unknown' }
    const isCurrent = matches(proof, row.secret_hash)
    if (!isCurrent && !matches(proof, row.previous_hash)) return { status: 'unknown' }
    if (row.is_live !== 'true') {
      return { status: 'expired', id: proof.id, userId: row.user_id ?? null }
    }
    return { status: 'live', record: readRecord(row, !isCurrent) }
  }

  async create(session: NewSession): Promise<CreateResult> {
    const [created] = await this.#run('create', newSessionValues(session), REPEATABLE)
    if (created !== undefined) return { status: 'created', times: readTimes(created) }
    const values = [session.id, hex(session.secretHash)]
    const [own] = await this.#run('find_created', values, REPEATABLE)
    return own === undefined ? { status: 'taken' } : { status: 'created', times: readTimes(own) }
  }

  async save(change: SessionChange): Promise<SaveResult> {
    const { credentials } = change
    const values = [
      ...guardValues(change),
      hexArray(change.deleted),
      hexArray(change.written.map((entry) => entry.key)),
      hexArray(change.written.map((entry) => entry.value)),
    ]
    const [row] =
      credentials === undefined
        ? await this.#runFor(change.id, 'save', values, ONCE)
        : await this.#runFor(
            change.id,
            'save_credentials',
            [...values, ...credentialValues(credentials)],
            ONCE,
          )
    if (row === undefined) return { status: 'gone' }
    return { status: 'saved', times: readTimes(row), rotated: row.rotated === 'true' }
  }

  async replace(ended: SessionGuard, successor: NewSession): Promise<ReplaceResult> {
    const values = [ended.userId, ...newSessionValues(successor)]
    const [row] = await this.#runFor(ended.id, 'replace', values, ONCE)
    return row === undefined ? { status: 'gone' } : { status: 'created', times: readTimes(row) }
  }

  async update(update: EntryUpdate): Promise<UpdateResult> {
    const { id, key, expected, value } = update
    const values = [...guardValues(update), hex(key)]
    const [row] =
      value === null
        ? await this.#runFor(id, 'update_removed', [...values, expected && hex(expected)], ONCE)
        : expected === null
          ? await this.#runFor(id, 'update_absent', [...values, hex(value)], ONCE)
          : await this.#runFor(id, 'update_present', [...values, hex(value), hex(expected)], ONCE)
    if (row?.live !== '1') return { status: 'gone' }
    const isDone = row.changed === '1' || (value === null && expected === null && !row.current)
    if (isDone) return { status: 'updated' }
    return { status: 'changed', current: bytesOrNull(row.current) }
  }

  async take(entry: Guarded & { readonly key: Uint8Array }): Promise<TakeResult> {
    const [row] = await this.#runFor(
      entry.id,
      'take',
      [...guardValues(entry), hex(entry.key)],
      ONCE,
    )
    if (row?.live !== '1') return { status: 'gone' }
    return { status: 'taken', value: bytesOrNull(row.value) }
  }

  async touch(touch: Pick<Guarded, 'id' | 'lifetime'>): Promise<void> {
    const { idle, purge } = touch.lifetime
    await this.#runFor(touch.id, 'touch', [interval(idle), interval(purge)], REPEATABLE)
  }

  async destroy(id: string, owner: string | null): Promise<boolean> {
    const [row] = await this.#runFor(id, 'destroy', [owner], REPEATABLE)
    return row?.was_live === 'true'
  }

  async listByUser(userId: string): Promise<readonly SessionSummary[]> {
    const rows = await this.#run('list_by_user', [userId], REPEATABLE)
    return rows.map(readSummary)
  }

  async destroyByUser(userId: string, except: readonly string[]): Promise<readonly string[]> {
    const values = [userId, `{${except.filter(isUuid).join(',')}}`]
    const rows = await this.#run('destroy_by_user', values, REPEATABLE)
    return rows.filter((row) => row.was_live === 'true').map((row) => row.id as string)
  }

  async count(): Promise<StoreCounts> {
    const [row] = await this.#run('count', [], REPEATABLE)
    return { live: Number(row?.live), expired: Number(row?.expired) }
  }

  async purge(limit: number): Promise<number> {
    const [row] = await this.#run('purge', [String(limit)], REPEATABLE)
    return Number(row?.purged)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.allSettled([...this.#underWay])
    // The callers have their answers before whoever closes goes on.
    await new Promise((resolve) => setImmediate(resolve))
  }

  /** Runs a statement whose first parameter is a session's id. */
  async #runFor(
    id: string,
    operation: keyof StoreStatements,
    values: readonly (string | null)[],
    options: RunOptions,
  ): Promise<readonly Row[]> {
    return isUuid(id) ? this.#run(operation, [id, ...values], options) : []
  }

  async #run(
    operation: keyof StoreStatements,
    values: readonly (string | null)[],
    options: RunOptions,
  ): Promise<readonly Row[]> {
    if (this.#isClosed) throw new SessionsClosedError()
    const call = this.#perform({ ...this.#statements[operation], values }, options)
    this.#underWay.add(call)
    try {
      return await call
    } finally {
      this.#underWay.delete(call)
    }
  }

  async #perform(statement: Statement, options: RunOptions): Promise<readonly Row[]> {
    if (!this.#isReady) await this.#prepareOnce()
    return this.#runner.run(statement, options)
  }

  /** Concurrent callers share one attempt; after a failure the next caller tries again. */
  #prepareOnce(): Promise<void> {
    this.#preparing ??= this.#prepare().finally(() => {
      this.#preparing = null
    })
    return this.#preparing
  }

  async #prepare(): Promise<void> {
    const { migrate: mode = 'auto', deadline = 5000, log } = this.#options
    if (mode === 'auto') {
      const timeout = Math.max(deadline, MIGRATION_TIMEOUT)
      await migrate(this.#driver, this.#names, { timeout, log })
    } else if (mode === 'check') {
      await checkSchema(this.#driver, this.#names, { timeout: deadline })
    }
    this.#isReady = true
  }
}

function newSessionValues(session: NewSession): (string | null)[] {
  return [
    session.id,
    hex(session.secretHash),
    session.userId,
    session.ownIdleTimeout === null ? null : String(session.ownIdleTimeout),
    interval(session.lifetime.idle),
    interval(session.absolute),
    hexArray(session.entries.map((entry) => entry.key)),
    hexArray(session.entries.map((entry) => entry.value)),
  ]
}

function guardValues(guarded: Guarded): (string | null)[] {
  const { userId, lifetime } = guarded
  return [userId, interval(lifetime.idle), interval(lifetime.purge)]
}

function credentialValues(
  credentials: NonNullable<SessionChange['credentials']>,
): (string | null)[] {
  const { token, signIn, absoluteExpiresAt, ownIdleTimeout } = credentials
  return [
    token === undefined ? null : hexArray(token.from),
    token === undefined ? null : hex(token.to),
    signIn?.userId ?? null,
    signIn === undefined ? null : '0 ms',
    absoluteExpiresAt === undefined ? null : String(absoluteExpiresAt),
    ownIdleTimeout === undefined ? 'keep' : String(ownIdleTimeout ?? 'none'),
  ]
}

/** Any other id names no session, and PostgreSQL would refuse it as an error. */
function isUuid(id: string): boolean {
  return UUID.test(id)
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Compares in constant time, so that answers tell nothing about a hash. */
function matches(proof: TokenProof, digits: string | null | undefined): boolean {
  if (!digits) return false
  const stored = fromHex(digits)
  return proof.secretHashes.some(
    (hash) => hash.length === stored.length && timingSafeEqual(hash, stored),
  )
}

function bytesOrNull(digits: string | null | undefined): Uint8Array | null {
  return digits === null || digits === undefined ? null : fromHex(digits)
}
