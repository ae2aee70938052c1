import { UnsupportedError } from '../errors.ts'
import type { Operation } from '../postgres/operation.ts'
import type { TakenEntry } from '../postgres/operations/take.ts'
import { TableAccess } from '../postgres/table-access.ts'
import { isUnknown } from '../postgres/unknown-outcome.ts'
import type { CallOptions } from '../store/deadline.ts'
import type {
  CreateResult,
  DestroyResult,
  Ending,
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
import { takeOperation, updateEntry } from './operations/change-entry.ts'
import { createOperation, findCreated } from './operations/create.ts'
import { destroyOperation, findStanding, type KeyedEnding } from './operations/destroy.ts'
import { loadOperation } from './operations/load.ts'
import { count, purgeOperation } from './operations/purge.ts'
import { replaceOperation } from './operations/replace.ts'
import { saveKey, saveOperation } from './operations/save.ts'
import { touchOperation } from './operations/touch.ts'
import type { WaiTimes } from './session-state.ts'
import { readStoreOptions, type WaiStoreOptions } from './store-options.ts'
import { explainWaiTables, prepareWaiTables } from './tables.ts'
import type { WaiTableNames } from './wai-table-names.ts'
import { keyOf } from './wai-tokens.ts'

/**
 * What the store asks of the tables. The rules are those of the native tables: one guarded statement for each
 * operation, and every write of entries hangs on the session's row.
 */
function waiOperations(names: WaiTableNames, times: WaiTimes, tables: TableAccess) {
  const { timeout } = times
  return {
    load: tables.share(loadOperation(names, times)),
    create: createOperation(names, timeout),
    findCreated: findCreated(names, timeout),
    save: saveOperation(names, timeout),
    saveKey: saveKey(names, timeout),
    replace: replaceOperation(names, timeout),
    update: updateEntry(names, timeout),
    take: takeOperation(names, timeout),
    touch: tables.share(touchOperation(names, timeout)),
    destroy: destroyOperation(names, timeout),
    destroyAgain: destroyOperation(names, timeout, 'idempotent'),
    standing: findStanding(names, timeout),
    count: count(names, timeout),
    purge: purgeOperation(names, timeout),
  }
}

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
  readonly needs = ['codec', 'tokens'] as const
  readonly #tables: TableAccess
  readonly #operations: ReturnType<typeof waiOperations>

  /** @throws {ConfigurationError} An option is wrong; says what to write. */
  constructor(options: WaiStoreOptions) {
    const settings = readStoreOptions(options)
    const { driver, names, timeout, loginTime, deadline } = settings
    this.deadline = deadline
    this.requiredSettings = {
      idleTimeout: timeout,
      absoluteTimeout: Number.POSITIVE_INFINITY,
      renewInterval: Number.POSITIVE_INFINITY,
    }
    this.#tables = new TableAccess({
      driver,
      deadline,
      preparation: 'create_wai_tables',
      prepare: () => prepareWaiTables(settings),
      explain: (error) => explainWaiTables(settings, error),
    })
    this.#operations = waiOperations(names, { timeout, loginTime }, this.#tables)
  }

  ready(): Promise<void> {
    return this.#tables.ready()
  }

  async load(token: PresentedToken, options?: CallOptions): Promise<LoadResult> {
    const keys = keysOf(token.secretHashes)
    const result: LoadResult =
      keys.length === 0
        ? await this.#answer({ status: 'unknown' }, options)
        : await this.#operations.load.run(keys, options)
    if (token.id === '' || result.status === 'unknown') return result
    const id = result.status === 'live' ? result.record.id : result.id
    return token.id === id ? result : { status: 'unknown' }
  }

  /** @throws {UnsupportedError} It is to have a user or a lifetime of its own. */
  async create(session: NewSession, options?: CallOptions): Promise<CreateResult> {
    const { create, findCreated } = this.#operations
    const key = newKey(session)
    const call = { deadline: options?.deadline ?? this.#tables.runner.begin() }
    const created = await this.#tables.ask(create, { key, entries: session.entries }, call)
    return created ?? (await this.#tables.ask(findCreated, key, call)) ?? { status: 'taken' }
  }

  /** @throws {UnsupportedError} A user, a lifetime of its own or a grace for its token is asked for. */
  async save(change: SessionChange, options?: CallOptions): Promise<SaveResult> {
    const { save, saveKey } = this.#operations
    const keys = change.credentials && replacedKey(change.credentials)
    if (!isGuardedBy(change)) return this.#answer({ status: 'gone' }, options)
    return keys === undefined
      ? this.#tables.ask(save, change, options)
      : this.#tables.ask(saveKey, { change, ...keys }, options)
  }

  /** @throws {UnsupportedError} The successor is to have a user or a lifetime of its own. */
  async replace(
    ended: TokenPrecondition,
    successor: NewSession,
    options?: CallOptions,
  ): Promise<ReplaceResult> {
    const { replace, standing } = this.#operations
    const { id, secretHashes } = ended
    const call = { deadline: options?.deadline ?? this.#tables.runner.begin() }
    const begun = { key: newKey(successor), entries: successor.entries }
    if (!isGuardedBy(ended)) return this.#answer({ status: 'gone' }, call)
    const shown = keysOf(secretHashes)
    const created = await this.#tables.ask(replace, { ended, shown, successor: begun }, call)
    if (created !== null) return created
    const found = await this.#tables.ask(standing, { id, keys: shown }, call)
    return { status: found === 'superseded' ? 'superseded' : 'gone' }
  }

  async update(update: EntryUpdate, options?: CallOptions): Promise<UpdateResult> {
    return this.#askGuarded(this.#operations.update.for(update), update, options)
  }

  async take(entry: TakenEntry, options?: CallOptions): Promise<TakeResult> {
    return this.#askGuarded(this.#operations.take, entry, options)
  }

  /** Writes at most once a second, for all processes together. */
  async touch({ id }: Touch, options?: CallOptions): Promise<void> {
    if (isRowId(id)) await this.#operations.touch.run(id, options)
    else await this.#answer(undefined, options)
  }

  /** @throws {UnsupportedError} An owner is given. */
  async destroy(ending: Ending, options?: CallOptions): Promise<DestroyResult> {
    const { standing } = this.#operations
    const { id, owner, secretHashes } = ending
    if (owner !== undefined) throw new UnsupportedError(NO_USERS)
    if (!isRowId(id)) return { status: 'gone' }
    const call = { deadline: options?.deadline ?? this.#tables.runner.begin() }
    const keys = secretHashes && keysOf(secretHashes)
    if (secretHashes === undefined || keys === undefined) return this.#destroyById(id, call)
    const { wasLive, isInDoubt } = await this.#destroyOnce({ id, keys }, call)
    if (wasLive !== null) return wasLive ? { status: 'ended', userId: null } : { status: 'gone' }
    const found = await this.#tables.ask(standing, { id, keys }, call)
    if (found === 'gone' && isInDoubt) return { status: 'gone', isInDoubt }
    if (found !== 'flagged') return { status: found }
    // A fresh flag belongs to the login that set it; nothing comes of one that was left behind.
    const session = await this.load({ id: '', secretHashes }, call)
    const isAbandoned = session.status === 'live' && session.record.isRotationDue === true
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

  async count(options?: CallOptions): Promise<StoreCounts> {
    return this.#tables.ask(this.#operations.count, undefined, options)
  }

  async purge(limit: number, options?: CallOptions): Promise<number> {
    return this.#tables.ask(this.#operations.purge, limit, options)
  }

  close(): Promise<void> {
    return this.#tables.close()
  }

  /** Looks first: only that tells, after a lost answer, whether this call has ended the session. */
  async #destroyById(id: string, call: Required<CallOptions>): Promise<DestroyResult> {
    const before = await this.#tables.ask(this.#operations.standing, { id, keys: [] }, call)
    const { wasLive, isInDoubt } = await this.#destroyOnce({ id }, call)
    const hasEnded = wasLive === true || (wasLive === null && isInDoubt && before !== 'gone')
    return hasEnded ? { status: 'ended', userId: null } : { status: 'gone' }
  }

  async #destroyOnce(
    ending: KeyedEnding,
    call: Required<CallOptions>,
  ): Promise<{ readonly wasLive: boolean | null; readonly isInDoubt: boolean }> {
    const { destroy, destroyAgain } = this.#operations
    try {
      return { wasLive: await this.#tables.ask(destroy, ending, call), isInDoubt: false }
    } catch (error) {
      if (!isUnknown(error)) throw error
      const again = this.#tables.ask(destroyAgain, ending, call)
      return { wasLive: await again.catch(() => Promise.reject(error)), isInDoubt: true }
    }
  }

  async #askGuarded<Call extends Precondition, Answer>(
    operation: Operation<Call, Answer>,
    call: Call,
    options: CallOptions | undefined,
  ): Promise<Answer | { readonly status: 'gone' }> {
    if (isGuardedBy(call)) return this.#tables.ask(operation, call, options)
    return this.#answer({ status: 'gone' }, options)
  }

  /** Answers without a statement, unless the store is closed. */
  #answer<Answer>(answer: Answer, options: CallOptions | undefined): Promise<Answer> {
    return this.#tables.use(options, async () => answer)
  }

  #refuseUsers(): Promise<never> {
    return this.#tables.use(undefined, () => Promise.reject(new UnsupportedError(NO_USERS)))
  }
}

function keysOf(secretHashes: readonly Uint8Array[]): string[] {
  return secretHashes.map(keyOf).filter((key) => key !== null)
}

/** Whether a precondition may hold of a row. No session has a user here. */
function isGuardedBy({ id, userId }: Precondition): boolean {
  return userId === null && isRowId(id)
}

/** Any other id names no row, and PostgreSQL would refuse it as an error. */
function isRowId(id: string): boolean {
  return /^[1-9][0-9]{0,18}$/.test(id) && BigInt(id) < 2n ** 63n
}
