import { ConfigurationError, SessionsClosedError, StoreUnavailableError } from '../errors.ts'
import { readOptions } from '../options/read-options.ts'
import type { CallOptions } from '../store/deadline.ts'
import type {
  CreateResult,
  DescribeResult,
  Description,
  DestroyResult,
  EndedPage,
  Ending,
  EndingPage,
  EntryRequest,
  EntryUpdate,
  FetchResult,
  LiveSession,
  LoadOptions,
  LoadResult,
  LoadUserResult,
  NewSession,
  PresentedToken,
  ReplaceResult,
  RevocationFeed,
  SaveResult,
  SessionChange,
  SessionStore,
  SessionSummary,
  StoreCheck,
  StoreCounts,
  StoredSession,
  StoreTransaction,
  TakeResult,
  TokenPrecondition,
  Touch,
  UpdateResult,
} from '../store/session-store.ts'
import { AnnouncementListener } from './announcement-listener.ts'
import { ANY_SESSION, Announcer } from './announcer.ts'
import type { Driver } from './driver.ts'
import { prepareTables } from './migrate.ts'
import { announceOperation, channelOf } from './operations/announce.ts'
import { endedBefore } from './operations/destroy.ts'
import {
  destroyByUserInTransaction,
  destroyInTransaction,
  transactionStatus,
} from './operations/end-in-transaction.ts'
import { loadUserOperation } from './operations/load-user.ts'
import { FIRST_VERSION } from './operations/new-session.ts'
import { type StoreOperations, storeOperations } from './operations/store-operations.ts'
import type { TakenEntry } from './operations/take.ts'
import { isUuid } from './parameter-types.ts'
import { type DatabaseOptions, type PostgresStoreOptions, storeOptions } from './store-options.ts'
import { TableAccess } from './table-access.ts'
import { resolveTableNames, type TableNames } from './table-names.ts'
import { applicationTransaction } from './transaction/application-transaction.ts'
import { PostgresTransaction } from './transaction/postgres-transaction.ts'
import { JoinedUsers } from './user/joined-users.ts'

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
  /** There if the option `user` is. */
  readonly loadUser?: NonNullable<SessionStore['loadUser']>
  readonly #driver: Driver
  readonly #names: TableNames
  readonly #options: DatabaseOptions & Pick<PostgresStoreOptions, 'log'>
  readonly #tables: TableAccess
  readonly #operations: StoreOperations
  readonly #announcer: Announcer
  readonly #channel: string
  readonly #isShared: boolean
  readonly #users: JoinedUsers | null

  /** @throws {ConfigurationError} An option is unknown or wrong; the message says what to write. */
  constructor(options: PostgresStoreOptions) {
    const { driver, ...settings } = readOptions('new PostgresStore', storeOptions, options)
    if (driver === undefined) {
      throw new ConfigurationError(
        'new PostgresStore needs a driver, such as { driver: fromPg(pool) }.',
      )
    }
    const { deadline, groupCommit, distributed, user } = settings
    this.#options = settings
    this.#driver = driver
    this.#names = { ...resolveTableNames(settings), isDistributed: distributed }
    this.#isShared = groupCommit && !distributed
    this.deadline = deadline
    this.#tables = new TableAccess({
      driver,
      deadline,
      groupCommit: this.#isShared,
      preparation: 'migrate',
      prepare: () => this.#prepare(),
    })
    this.#users = user === undefined ? null : new JoinedUsers(user)
    if (this.#users !== null) this.loadUser = this.#loadUser.bind(this, this.#users)
    this.#operations = storeOperations(this.#names, this.#tables, this.#users)
    this.#channel = channelOf(this.#names)
    this.#announcer = new Announcer(this.#tables.runner, announceOperation(this.#channel))
  }

  ready(): Promise<void> {
    return this.#tables.ready()
  }

  load(token: PresentedToken, options?: LoadOptions): Promise<LoadResult> {
    if (!isUuid(token.id)) return Promise.resolve({ status: 'unknown' })
    const call = { token, largeEntries: options?.largeEntries }
    const loading = this.#operations.load.run(call, options)
    return this.#users === null ? loading : this.#users.join(loading)
  }

  async fetch(request: EntryRequest, options?: CallOptions): Promise<FetchResult> {
    if (!isUuid(request.id)) return { status: 'gone' }
    return this.#tables.ask(this.#operations.fetch, request, options)
  }

  async create(session: NewSession, options?: CallOptions): Promise<CreateResult> {
    const { create, findCreated } = this.#operations
    const call = { deadline: options?.deadline ?? this.#tables.runner.begin() }
    try {
      const creation = await create.run(session, call)
      if (creation.status === 'created') return creation
    } catch (error) {
      if (!isUnknown(error)) throw error
      // Sent a second time, it might bring back a session that has ended since. But it may have got through.
      const times = await this.#tables.ask(findCreated, session, call).catch(() => null)
      if (times === null) throw error
      return { status: 'created', times, version: FIRST_VERSION }
    }
    const times = await this.#tables.ask(findCreated, session, call)
    if (times === null) return { status: 'taken' }
    return { status: 'created', times, version: FIRST_VERSION }
  }

  async save(change: SessionChange, options?: CallOptions): Promise<SaveResult> {
    if (!isUuid(change.id)) return { status: 'gone' }
    const { save, saveCredentials } = this.#operations
    if (change.credentials === undefined) return save.run(change, options)
    const { signIn } = change.credentials
    const hasChangedHands = signIn !== undefined && signIn.userId !== change.userId
    const result = await this.#tables
      .ask(saveCredentials.for(change), change, options)
      .catch((error) => {
        if (hasChangedHands) this.#mayHaveEnded(change.id, error)
        throw error
      })
    if (result.status === 'saved' && hasChangedHands) this.#announcer.announce([change.id])
    return result
  }

  async replace(
    ended: TokenPrecondition,
    successor: NewSession,
    options?: CallOptions,
  ): Promise<ReplaceResult> {
    if (!isUuid(ended.id)) return { status: 'gone' }
    const call = { ended, successor }
    const result = await this.#tables
      .ask(this.#operations.replace, call, options)
      .catch((error) => this.#mayHaveEnded(ended.id, error))
    if (result.status === 'created') this.#announcer.announce([ended.id])
    return result
  }

  async update(update: EntryUpdate, options?: CallOptions): Promise<UpdateResult> {
    if (!isUuid(update.id)) return { status: 'gone' }
    return this.#tables.ask(this.#operations.update.for(update), update, options)
  }

  async take(entry: TakenEntry, options?: CallOptions): Promise<TakeResult> {
    if (!isUuid(entry.id)) return { status: 'gone' }
    return this.#tables.ask(this.#operations.take, entry, options)
  }

  async describe(description: Description, options?: CallOptions): Promise<DescribeResult> {
    if (!isUuid(description.id)) return { status: 'gone' }
    return this.#tables.ask(this.#operations.describe, description, options)
  }

  async touch(touch: Touch, options?: CallOptions): Promise<void> {
    if (isUuid(touch.id)) await this.#operations.touch.run(touch, options)
  }

  async destroy(ending: Ending, options?: CallOptions): Promise<DestroyResult> {
    const { id, secretHashes } = ending
    if (!isUuid(id)) return { status: 'gone' }
    const call = { deadline: options?.deadline ?? this.#tables.runner.begin() }
    const { lookUp, destroy, destroyAgain } = this.#operations
    // Only what was there before tells, after a lost answer, whether this call has ended it.
    const before = secretHashes === undefined ? await lookUp.run(id, call) : undefined
    const result = await destroy.run(ending, call).catch(async (error: unknown) => {
      if (!isUnknown(error)) throw error
      this.#announcer.announce([id])
      const again = this.#tables.ask(destroyAgain, ending, call)
      return endedBefore(await again.catch(() => Promise.reject(error)), ending, before?.live)
    })
    this.#announcer.announce([id])
    return result
  }

  listByUser(userId: string, options?: CallOptions): Promise<readonly SessionSummary[]> {
    return this.#tables.ask(this.#operations.listByUser, userId, options)
  }

  async destroyByUser(
    userId: string,
    except: readonly string[],
    options?: CallOptions,
  ): Promise<readonly string[]> {
    const call = { deadline: options?.deadline ?? this.#tables.runner.begin() }
    const { listByUser, destroyByUser } = this.#operations
    const live = await this.#tables.ask(listByUser, userId, call)
    const ids = live.map(({ id }) => id).filter((id) => !except.includes(id))
    const ending = { userId, except: except.filter(isUuid) }
    try {
      const ended = await this.#tables.ask(destroyByUser, ending, call)
      this.#announcer.announce(ended)
      return ended
    } catch (error) {
      if (!isUnknown(error)) throw error
      this.#announcer.announce(ids)
      // The answer got lost, so a second try may find none of those that the first has ended.
      const rest = await this.#tables
        .ask(destroyByUser, ending, call)
        .catch(() => Promise.reject(error))
      const ended = [...new Set([...ids, ...rest])]
      this.#announcer.announce(ended)
      return ended
    }
  }

  readUser(userId: string, options?: CallOptions): Promise<readonly StoredSession[]> {
    return this.#tables.ask(this.#operations.readUser, userId, options)
  }

  async destroyPage(page: EndingPage, options?: CallOptions): Promise<EndedPage> {
    const answer = await this.#tables
      .ask(this.#operations.destroyPage, page, options)
      .catch((error) => this.#mayHaveEnded(ANY_SESSION, error))
    this.#announcer.announce(answer.ended.map(({ id }) => id))
    return answer
  }

  check(options?: CallOptions): Promise<StoreCheck> {
    return this.#tables.ask(this.#operations.check, undefined, options)
  }

  async backdateSignIn(id: string, milliseconds: number, options?: CallOptions): Promise<void> {
    if (!isUuid(id)) return
    await this.#tables.ask(this.#operations.backdateSignIn, { id, milliseconds }, options)
  }

  findLive(ids: readonly string[], options?: CallOptions): Promise<readonly LiveSession[]> {
    return this.#tables.ask(this.#operations.findLive, ids.filter(isUuid), options)
  }

  async listen(onHint: (id: string | null) => void): Promise<RevocationFeed | null> {
    if (this.#tables.isClosed) throw new SessionsClosedError()
    const { listen } = this.#driver
    if (listen === undefined) return null
    return new AnnouncementListener({
      listen: listen.bind(this.#driver),
      channel: this.#channel,
      announce: (id) => this.#announcer.announce([id]),
      onHint,
    })
  }

  inTransaction(client: object): StoreTransaction {
    if (this.#tables.isClosed) throw new SessionsClosedError()
    const terms = {
      channel: this.#announcer.isFutile ? null : this.#channel,
      isOrdered: this.#isShared,
    }
    return new PostgresTransaction(applicationTransaction(client), this.#tables, {
      destroy: destroyInTransaction(this.#names, terms),
      destroyByUser: destroyByUserInTransaction(this.#names, terms),
      status: transactionStatus(),
      findLive: this.#operations.findLive,
    })
  }

  count(options?: CallOptions): Promise<StoreCounts> {
    return this.#tables.ask(this.#operations.count, undefined, options)
  }

  purge(limit: number, options?: CallOptions): Promise<number> {
    return this.#tables.ask(this.#operations.purge, limit, options)
  }

  async close(): Promise<void> {
    await this.#tables.close()
    await this.#announcer.settled()
  }

  async #loadUser(
    users: JoinedUsers,
    guard: TokenPrecondition,
    options?: CallOptions,
  ): Promise<LoadUserResult> {
    if (!isUuid(guard.id)) return { status: 'gone' }
    const found = await this.#tables.use(options, (deadline) =>
      this.#tables.runner.ask(loadUserOperation(this.#names, users.rows), guard, deadline),
    )
    return found === null ? { status: 'gone' } : { status: 'found', user: await users.user(found) }
  }

  /** Announces an ending whose answer got lost: a listener then looks, and sees what has happened. */
  #mayHaveEnded(id: string, error: unknown): never {
    if (isUnknown(error)) this.#announcer.announce([id])
    throw error
  }

  async #prepare(): Promise<void> {
    await prepareTables(this.#driver, this.#names, this.#options)
    await this.#users?.prepare(this.#driver, this.deadline)
  }
}

function isUnknown(error: unknown): boolean {
  return error instanceof StoreUnavailableError && error.outcome === 'unknown'
}
