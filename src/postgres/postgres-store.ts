import { createHash } from 'node:crypto'
import { ConfigurationError, SessionsClosedError } from '../errors.ts'
import { readOptions } from '../options/read-options.ts'
import type { CallOptions, Deadline } from '../store/deadline.ts'
import type {
  CreateResult,
  DestroyResult,
  Ending,
  EntryUpdate,
  LiveSession,
  LoadResult,
  NewSession,
  Precondition,
  PresentedToken,
  ReplaceResult,
  RevocationFeed,
  SaveResult,
  SessionChange,
  SessionStore,
  SessionSummary,
  StoreCounts,
  TakeResult,
  Touch,
  UpdateResult,
} from '../store/session-store.ts'
import { AnnouncementListener } from './announcement-listener.ts'
import { Announcer } from './announcer.ts'
import { ALONE, SHARED } from './batch-limits.ts'
import { Batcher, type Forerunner, type SharedOperation } from './batcher.ts'
import type { Driver, Row } from './driver.ts'
import { fromHex, hex, hexArray, interval, plainArray } from './encoding.ts'
import { checkSchema, migrate } from './migrate.ts'
import { readLive, readSummary, readTimes } from './rows.ts'
import {
  type Created,
  changeValues,
  createOperation,
  loadOperation,
  newSessionValues,
  saveOperation,
  touchOperation,
} from './shared-operations.ts'
import { type RunOptions, StatementRunner, timedOut } from './statement-runner.ts'
import { type StoreStatements, storeStatements } from './statements.ts'
import { type DatabaseOptions, type PostgresStoreOptions, storeOptions } from './store-options.ts'
import { resolveTableNames, type TableNames } from './table-names.ts'

type Guarded = Precondition & Pick<SessionChange, 'lifetime'>

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
  readonly deadline: number
  readonly #driver: Driver
  readonly #names: TableNames
  readonly #statements: StoreStatements
  readonly #runner: StatementRunner
  readonly #loads: Batcher<PresentedToken, LoadResult>
  readonly #creations: Batcher<NewSession, Created>
  readonly #saves: Batcher<SessionChange, SaveResult>
  readonly #touches: Batcher<Touch, 'touched'>
  readonly #announcer: Announcer
  readonly #channel: string
  readonly #options: DatabaseOptions & Pick<PostgresStoreOptions, 'log' | 'groupCommit'>
  #underWay = 0
  #onIdle: (() => void) | null = null
  #isReady = false
  #preparing: Promise<void> | null = null
  #isClosed = false

  /** @throws {ConfigurationError} An option is unknown or wrong; the message says what to write. */
  constructor(options: PostgresStoreOptions) {
    const { driver, ...settings } = readOptions('new PostgresStore', storeOptions, options)
    if (driver === undefined) {
      throw new ConfigurationError(
        'new PostgresStore needs a driver, such as { driver: fromPg(pool) }.',
      )
    }
    this.#options = settings
    this.#driver = driver
    this.#names = resolveTableNames(settings)
    this.#statements = storeStatements(this.#names)
    this.deadline = settings.deadline
    this.#runner = new StatementRunner(driver, this.deadline)
    this.#channel = channelOf(this.#names)
    this.#announcer = new Announcer(this.#runner, this.#statements.announce, this.#channel)
    this.#loads = this.#shared(loadOperation(this.#statements))
    this.#creations = this.#shared(createOperation(this.#statements))
    this.#saves = this.#shared(saveOperation(this.#statements), this.#loads)
    this.#touches = this.#shared(touchOperation(this.#statements))
  }

  async ready(): Promise<void> {
    if (this.#isClosed) throw new SessionsClosedError()
    if (!this.#isReady) await this.#prepareOnce()
  }

  load(proof: PresentedToken, options?: CallOptions): Promise<LoadResult> {
    if (!isUuid(proof.id)) return Promise.resolve({ status: 'unknown' })
    const deadline = this.#deadlineOf(options)
    return this.#tracked(deadline, () => this.#loads.run(proof, deadline))
  }

  async create(session: NewSession, options?: CallOptions): Promise<CreateResult> {
    const deadline = this.#deadlineOf(options)
    const created = await this.#tracked(deadline, () => this.#creations.run(session, deadline))
    if (created.status !== 'present') return created
    const values = [session.id, hex(session.secretHash)]
    const [own] = await this.#run('find_created', values, { ...REPEATABLE, deadline })
    return own === undefined ? { status: 'taken' } : { status: 'created', times: readTimes(own) }
  }

  async save(change: SessionChange, call?: CallOptions): Promise<SaveResult> {
    if (!isUuid(change.id)) return { status: 'gone' }
    const { credentials } = change
    const deadline = this.#deadlineOf(call)
    if (credentials === undefined) {
      return this.#tracked(deadline, () => this.#saves.run(change, deadline))
    }
    const values = [...changeValues(change), ...credentialValues(credentials)]
    const options = { repeatable: isRenewalAlone(change), deadline }
    const [row] = await this.#run('save_credentials', values, options)
    if (row === undefined) return { status: 'gone' }
    const { signIn } = credentials
    if (signIn !== undefined && signIn.userId !== change.userId)
      this.#announcer.announce([change.id])
    return { status: 'saved', times: readTimes(row), rotated: row.rotated === 'true' }
  }

  async replace(
    ended: Precondition,
    successor: NewSession,
    call?: CallOptions,
  ): Promise<ReplaceResult> {
    const values = [ended.userId, ...newSessionValues(successor)]
    const [row] = await this.#runFor(ended.id, 'replace', values, { ...ONCE, ...call })
    if (row === undefined) return { status: 'gone' }
    this.#announcer.announce([ended.id])
    return { status: 'created', times: readTimes(row) }
  }

  async update(update: EntryUpdate, call?: CallOptions): Promise<UpdateResult> {
    const { id, key, expected, value } = update
    const once = { ...ONCE, ...call }
    const values = [...guardValues(update), hex(key)]
    const [row] =
      value === null
        ? await this.#runFor(id, 'update_removed', [...values, expected && hex(expected)], once)
        : expected === null
          ? await this.#runFor(id, 'update_absent', [...values, hex(value)], once)
          : await this.#runFor(id, 'update_present', [...values, hex(value), hex(expected)], once)
    if (row?.live !== '1') return { status: 'gone' }
    const isDone = row.changed === '1' || (value === null && expected === null && !row.current)
    if (isDone) return { status: 'updated' }
    return { status: 'changed', current: bytesOrNull(row.current) }
  }

  async take(
    entry: Guarded & { readonly key: Uint8Array },
    call?: CallOptions,
  ): Promise<TakeResult> {
    const [row] = await this.#runFor(entry.id, 'take', [...guardValues(entry), hex(entry.key)], {
      ...ONCE,
      ...call,
    })
    if (row?.live !== '1') return { status: 'gone' }
    return { status: 'taken', value: bytesOrNull(row.value) }
  }

  async touch(touch: Touch, options?: CallOptions): Promise<void> {
    if (!isUuid(touch.id)) return
    const deadline = this.#deadlineOf(options)
    await this.#tracked(deadline, () => this.#touches.run(touch, deadline))
  }

  async destroy({ id, owner }: Ending, call?: CallOptions): Promise<DestroyResult> {
    const options = { ...REPEATABLE, ...call }
    const [row] = await this.#runFor(id, 'destroy', [owner ?? null], options)
    // Also when there was none: this may be the repeat of a call whose answer was lost.
    if (isUuid(id)) this.#announcer.announce([id])
    if (row?.was_live !== 'true') return { status: 'gone' }
    return { status: 'ended', userId: row.user_id ?? null }
  }

  async listByUser(userId: string, call?: CallOptions): Promise<readonly SessionSummary[]> {
    const rows = await this.#run('list_by_user', [userId], { ...REPEATABLE, ...call })
    return rows.map(readSummary)
  }

  async destroyByUser(
    userId: string,
    except: readonly string[],
    call?: CallOptions,
  ): Promise<readonly string[]> {
    const values = [userId, plainArray(except.filter(isUuid))]
    const rows = await this.#run('destroy_by_user', values, { ...REPEATABLE, ...call })
    const ended = rows.filter((row) => row.was_live === 'true').map((row) => row.id as string)
    this.#announcer.announce(ended)
    return ended
  }

  async findLive(ids: readonly string[], call?: CallOptions): Promise<readonly LiveSession[]> {
    const values = [plainArray(ids.filter(isUuid))]
    const rows = await this.#run('find_live', values, { ...REPEATABLE, ...call })
    return rows.map(readLive)
  }

  async listen(onHint: (id: string | null) => void): Promise<RevocationFeed | null> {
    if (this.#isClosed) throw new SessionsClosedError()
    const { listen } = this.#driver
    if (listen === undefined) return null
    return new AnnouncementListener({
      listen: listen.bind(this.#driver),
      channel: this.#channel,
      announce: (id) => this.#announcer.announce([id]),
      onHint,
    })
  }

  async count(call?: CallOptions): Promise<StoreCounts> {
    const [row] = await this.#run('count', [], { ...REPEATABLE, ...call })
    return { live: Number(row?.live), expired: Number(row?.expired) }
  }

  async purge(limit: number, call?: CallOptions): Promise<number> {
    const [row] = await this.#run('purge', [String(limit)], { ...REPEATABLE, ...call })
    return Number(row?.purged)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    if (this.#underWay > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve
      })
    }
    await this.#announcer.settled()
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

  #run(
    operation: keyof StoreStatements,
    values: readonly (string | null)[],
    options: RunOptions,
  ): Promise<readonly Row[]> {
    const statement = { ...this.#statements[operation], values }
    const deadline = this.#deadlineOf(options)
    return this.#tracked(deadline, () => this.#runner.run(statement, { ...options, deadline }))
  }

  /** The caller's budget, or the store's own for a call that comes without one. */
  #deadlineOf(options: CallOptions | undefined): Deadline {
    return options?.deadline ?? this.#runner.begin()
  }

  /** Prepares the tables if that is still to be done, and lets `close()` wait for the call. */
  #tracked<Answer>(deadline: Deadline, ask: () => Promise<Answer>): Promise<Answer> {
    if (this.#isClosed) return Promise.reject(new SessionsClosedError())
    this.#underWay++
    const call = this.#isReady ? ask() : this.#prepareInTime(deadline).then(ask)
    return call.then(
      (answer) => {
        this.#ended()
        return answer
      },
      (error) => {
        this.#ended()
        throw error
      },
    )
  }

  #ended(): void {
    this.#underWay--
    if (this.#underWay === 0) this.#onIdle?.()
  }

  #shared<Call, Answer>(
    operation: SharedOperation<Call, Answer>,
    forerunner?: Forerunner,
  ): Batcher<Call, Answer> {
    const limits = this.#options.groupCommit === false ? ALONE : SHARED
    return new Batcher(this.#runner, operation, limits, forerunner)
  }

  /** Creating tables may take longer than a call may: the call gives up, the work goes on. */
  #prepareInTime(deadline: Deadline): Promise<void> {
    const late = (): Error => timedOut({ name: 'migrate' }, deadline.duration, 'none')
    return deadline.race(this.#prepareOnce(), late)
  }

  /** Concurrent callers share one attempt; after a failure the next caller tries again. */
  #prepareOnce(): Promise<void> {
    this.#preparing ??= this.#prepare().finally(() => {
      this.#preparing = null
    })
    return this.#preparing
  }

  async #prepare(): Promise<void> {
    const { migrate: mode, deadline, log } = this.#options
    if (mode === 'auto') {
      const timeout = Math.max(deadline, MIGRATION_TIMEOUT)
      await migrate(this.#driver, this.#names, { timeout, readTimeout: deadline, log })
    } else if (mode === 'check') {
      await checkSchema(this.#driver, this.#names, { timeout: deadline })
    }
    this.#isReady = true
  }
}

/** One channel for each set of tables in a database; a name as it is may be too long for one. */
function channelOf({ session }: TableNames): string {
  return `pg_sessions_${createHash('sha256').update(session).digest('hex').slice(0, 16)}`
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
    interval(token?.grace?.duration),
    interval(token?.grace?.patience),
    interval(token?.grace?.overlap),
  ]
}

/** Sent again it finds its own token in force. Entries could undo what others wrote in between. */
function isRenewalAlone({ credentials, written, deleted }: SessionChange): boolean {
  return credentials?.token?.grace !== undefined && written.length + deleted.length === 0
}

/** Any other id names no session, and PostgreSQL would refuse it as an error. */
function isUuid(id: string): boolean {
  return UUID.test(id)
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

function bytesOrNull(digits: string | null | undefined): Uint8Array | null {
  return digits === null || digits === undefined ? null : fromHex(digits)
}
