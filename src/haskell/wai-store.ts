import { UnsupportedError } from '../errors.ts'
import { SHARED } from '../postgres/batch-limits.ts'
import { Batcher } from '../postgres/batcher.ts'
import type { Row } from '../postgres/driver.ts'
import { fromHex, hex, hexArray, textArray } from '../postgres/encoding.ts'
import { type RunOptions, StatementRunner } from '../postgres/statement-runner.ts'
import type { CallOptions } from '../store/deadline.ts'
import type {
  CreateResult,
  DestroyResult,
  Ending,
  Entry,
  EntryUpdate,
  LoadResult,
  NewSession,
  Precondition,
  PresentedToken,
  ReplaceResult,
  RequiredSettings,
  SaveResult,
  SessionChange,
  SessionStore,
  StoreCounts,
  TakeResult,
  TokenPrecondition,
  Touch,
  UpdateResult,
} from '../store/session-store.ts'
import { NO_USERS, newKey, replacedKey } from './keys-to-store.ts'
import { loadOperation, type ShownKeys, touchOperation } from './operations.ts'
import { PreparedTables } from './prepared-tables.ts'
import { readCreated, readState } from './rows.ts'
import { type WaiOperation, type WaiStatements, waiStatements } from './statements.ts'
import { readStoreOptions, type WaiStoreOptions } from './store-options.ts'
import { keyOf } from './wai-tokens.ts'

type Guarded = Precondition & Pick<SessionChange, 'lifetime'>

const ONCE = { repeatable: false } as const
const REPEATABLE = { repeatable: true } as const

/**
 * Keeps sessions in the tables of Haskell's wai-session-postgresql, beside a service that goes on using
 * them.
 *
 * What counts as a session, when it ends and what its key is are the original's to the letter. A flag that
 * `clearSession` has set belongs to the handler that set it: for `loginTime` the session can be read here,
 * but not written. A flag that stands longer is completed by the next response, of either side. Beyond the
 * original, as `PostgresStore` has it: a visitor without data has no row, an ended session stays ended, and
 * a request that began before a key was replaced or flagged for it saves no more, since that may have been
 * a login.
 *
 * The tables have no place for a user, an absolute timeout, a lifetime of one session, or a token that
 * works on after its renewal: what needs them throws `UnsupportedError`, and settings that do are refused
 * by `createSessions`. Take all settings from {@link waiSettings}.
 *
 * The timeout is judged by the database's clock, to the nearest second as the original does by its own.
 *
 * @example
 * ```ts
 * import { cereal, cerealCodec } from 'pg-sessions/haskell/cereal'
 * import { WaiStore, waiTokens } from 'pg-sessions/haskell'
 *
 * const sessions = createSessions({
 *   store: new WaiStore({ driver: fromPg(pool), timeout: '1h' }),
 *   tokens: waiTokens(),
 *   codec: cerealCodec({ key: cereal.string, value: cereal.string }),
 *   cookie: { name: 'SESSION', duplicates: 'first' },
 *   idleTimeout: '1h',
 *   absoluteTimeout: 'none',
 * })
 * ```
 */
export class WaiStore implements SessionStore {
  readonly name = 'wai'
  readonly deadline: number
  readonly requiredSettings: RequiredSettings
  readonly #timeout: number
  readonly #statements: WaiStatements
  readonly #runner: StatementRunner
  readonly #tables: PreparedTables
  readonly #loads: Batcher<ShownKeys, LoadResult>
  readonly #touches: Batcher<string, 'touched'>

  /** @throws {ConfigurationError} An option is wrong; says what to write. */
  constructor(options: WaiStoreOptions) {
    const { driver, names, mode, timeout, loginTime, deadline } = readStoreOptions(options)
    this.deadline = deadline
    this.#timeout = timeout
    this.requiredSettings = {
      idleTimeout: timeout,
      absoluteTimeout: Number.POSITIVE_INFINITY,
      renewInterval: Number.POSITIVE_INFINITY,
    }
    this.#statements = waiStatements(names)
    this.#runner = new StatementRunner(driver, deadline)
    this.#tables = new PreparedTables({ driver, names, mode, deadline })
    const times = { timeout, loginTime }
    this.#loads = new Batcher(this.#runner, loadOperation(this.#statements, times), SHARED)
    this.#touches = new Batcher(this.#runner, touchOperation(this.#statements, timeout), SHARED)
  }

  ready(): Promise<void> {
    return this.#tables.ready()
  }

  async load(proof: PresentedToken, call?: CallOptions): Promise<LoadResult> {
    const keys = proof.secretHashes.map(keyOf).filter((key) => key !== null)
    const result = await this.#tables.use(async (): Promise<LoadResult> => {
      return keys.length === 0 ? { status: 'unknown' } : this.#loads.run(keys, call?.deadline)
    })
    if (proof.id === '' || result.status === 'unknown') return result
    const id = result.status === 'live' ? result.record.id : result.id
    return proof.id === id ? result : { status: 'unknown' }
  }

  /** @throws {UnsupportedError} It is to have a user or a lifetime of its own. */
  async create(session: NewSession, call?: CallOptions): Promise<CreateResult> {
    const key = newKey(session)
    const options = { ...REPEATABLE, ...call }
    const [row] = await this.#run('create', [key, ...entryValues(session.entries)], options)
    if (row !== undefined) return readCreated(row, this.#timeout)
    const [own] = await this.#run('find_created', [key], options)
    return own === undefined ? { status: 'taken' } : readCreated(own, this.#timeout)
  }

  /** @throws {UnsupportedError} A user, a lifetime of its own or a grace for its token is asked for. */
  async save(change: SessionChange, call?: CallOptions): Promise<SaveResult> {
    const { credentials, written, deleted } = change
    const token = credentials === undefined ? undefined : replacedKey(credentials)
    const values = [hexArray(deleted), ...entryValues(written)]
    const [row] =
      token === undefined
        ? await this.#runFor(change, 'save', values, call)
        : await this.#runFor(
            change,
            'save_token',
            [...values, textArray(token.from), token.to],
            call,
          )
    if (row === undefined) return { status: 'gone' }
    const { times, version } = readState(row, this.#timeout)
    return { status: 'saved', times, rotated: row.rotated === 'true', version }
  }

  /** @throws {UnsupportedError} The successor is to have a user or a lifetime of its own. */
  async replace(
    ended: TokenPrecondition,
    successor: NewSession,
    call?: CallOptions,
  ): Promise<ReplaceResult> {
    const { id, secretHashes } = ended
    const keys = secretHashes.map(keyOf).filter((key) => key !== null)
    const values = [newKey(successor), ...entryValues(successor.entries), textArray(keys)]
    const [row] = await this.#runFor(ended, 'replace', values, call)
    if (row !== undefined) return readCreated(row, this.#timeout)
    if (ended.userId !== null || !isRowId(id)) return { status: 'gone' }
    const standing = await this.#standing(id, secretHashes, call)
    return { status: standing === 'superseded' ? 'superseded' : 'gone' }
  }

  async update(update: EntryUpdate, call?: CallOptions): Promise<UpdateResult> {
    const { key, expected, value } = update
    const [row] =
      value === null
        ? await this.#runFor(update, 'update_removed', [hex(key), expected && hex(expected)], call)
        : expected === null
          ? await this.#runFor(update, 'update_absent', [hex(key), hex(value)], call)
          : await this.#runFor(
              update,
              'update_present',
              [hex(key), hex(value), hex(expected)],
              call,
            )
    if (row?.live !== '1') return { status: 'gone' }
    const current = bytesOrNull(row.current)
    const isDone = row.changed === '1' || (value === null && expected === null && current === null)
    return isDone ? { status: 'updated' } : { status: 'changed', current }
  }

  async take(
    entry: Guarded & { readonly key: Uint8Array },
    call?: CallOptions,
  ): Promise<TakeResult> {
    const [row] = await this.#runFor(entry, 'take', [hex(entry.key)], call)
    if (row?.live !== '1') return { status: 'gone' }
    return { status: 'taken', value: bytesOrNull(row.value) }
  }

  /** Writes at most once a second, for all processes together. */
  async touch({ id }: Touch, call?: CallOptions): Promise<void> {
    await this.#tables.use(async () => {
      if (isRowId(id)) await this.#touches.run(id, call?.deadline)
    })
  }

  /** @throws {UnsupportedError} An owner is given. */
  async destroy({ id, owner, secretHashes }: Ending, call?: CallOptions): Promise<DestroyResult> {
    if (owner !== undefined) throw new UnsupportedError(NO_USERS)
    if (!isRowId(id)) return { status: 'gone' }
    const options = { ...REPEATABLE, ...call }
    const keys = secretHashes?.map(keyOf).filter((key) => key !== null)
    const shown = keys === undefined ? null : textArray(keys)
    const [row] = await this.#run('destroy', [id, this.#seconds, shown], options)
    if (row !== undefined) {
      return row.was_live === 'true' ? { status: 'ended', userId: null } : { status: 'gone' }
    }
    if (secretHashes === undefined) return { status: 'gone' }
    const standing = await this.#standing(id, secretHashes, call)
    if (standing !== 'flagged') return { status: standing }
    // A fresh flag belongs to the login that set it; nothing comes of one that was left behind.
    const found = await this.load({ id: '', secretHashes }, call)
    const isAbandoned = found.status === 'live' && found.record.isRotationDue === true
    return isAbandoned ? this.destroy({ id }, call) : { status: 'superseded' }
  }

  /** @throws {UnsupportedError} Always. */
  listByUser(): Promise<never> {
    return this.#refuseUsers()
  }

  /** @throws {UnsupportedError} Always. */
  destroyByUser(): Promise<never> {
    return this.#refuseUsers()
  }

  async count(call?: CallOptions): Promise<StoreCounts> {
    const [row] = await this.#run('count', [this.#seconds], { ...REPEATABLE, ...call })
    return { live: Number(row?.live), expired: Number(row?.expired) }
  }

  async purge(limit: number, call?: CallOptions): Promise<number> {
    const values = [this.#seconds, String(limit)]
    const [row] = await this.#run('purge', values, { ...REPEATABLE, ...call })
    return Number(row?.purged)
  }

  close(): Promise<void> {
    return this.#tables.close()
  }

  get #seconds(): string {
    return String(this.#timeout / 1000)
  }

  /** Runs a statement that is guarded by a session's row. No session has a user here. */
  async #runFor(
    { id, userId, version }: Precondition,
    operation: WaiOperation,
    values: readonly (string | null)[],
    call: CallOptions | undefined,
  ): Promise<readonly Row[]> {
    if (userId !== null || !isRowId(id)) return this.#tables.use(async () => [])
    return this.#run(operation, [id, this.#seconds, version ?? null, ...values], {
      ...ONCE,
      ...call,
    })
  }

  #run(
    operation: WaiOperation,
    values: readonly (string | null)[],
    options: RunOptions,
  ): Promise<readonly Row[]> {
    const statement = { ...this.#statements[operation], values }
    return this.#tables.use(() => this.#runner.run(statement, options))
  }

  /** Why a session could not be ended by these keys: it has ended, has another key, or is flagged. */
  async #standing(
    id: string,
    secretHashes: readonly Uint8Array[],
    call?: CallOptions,
  ): Promise<'gone' | 'superseded' | 'flagged'> {
    const keys = secretHashes.map(keyOf).filter((key) => key !== null)
    const values = [id, this.#seconds, textArray(keys)]
    const [row] = await this.#run('standing', values, { ...REPEATABLE, ...call })
    if (row?.live !== 'true') return 'gone'
    return row.shown === 'true' ? 'flagged' : 'superseded'
  }

  #refuseUsers(): Promise<never> {
    return this.#tables.use(() => Promise.reject(new UnsupportedError(NO_USERS)))
  }
}

function entryValues(entries: readonly Entry[]): readonly string[] {
  return [hexArray(entries.map(({ key }) => key)), hexArray(entries.map(({ value }) => value))]
}

/** Any other id names no row, and PostgreSQL would refuse it as an error. */
function isRowId(id: string): boolean {
  return /^[1-9][0-9]{0,18}$/.test(id) && BigInt(id) < 2n ** 63n
}

function bytesOrNull(digits: string | null | undefined): Uint8Array | null {
  return digits === null || digits === undefined ? null : fromHex(digits)
}
