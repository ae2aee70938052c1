import { ConfigurationError, SessionsClosedError } from '../errors.ts'
import { readOptions } from '../options/read-options.ts'
import type { CallOptions } from '../store/deadline.ts'
import type {
  ActorReturn,
  ActorReturnResult,
  CreateResult,
  DescribeResult,
  Description,
  DestroyResult,
  EndedPage,
  EndedSession,
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
  OnHint,
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
  StoredValue,
  StoreInspector,
  StoreTransaction,
  TagChange,
  TagResult,
  TakeResult,
  TokenPrecondition,
  Touch,
  UpdateResult,
  ValuePage,
  ValueReplacement,
} from '../store/session-store.ts'
import { AnnouncementListener } from './announcement-listener.ts'
import { Announcer } from './announcer.ts'
import type { Driver } from './driver.ts'
import { tableInspector } from './inspection/table-inspector.ts'
import { prepareTables } from './migrate.ts'
import { announceOperation, channelOf } from './operations/announce.ts'
import { loadUserOperation } from './operations/load-user.ts'
import { type StoreOperations, storeOperations } from './operations/store-operations.ts'
import type { TakenEntry } from './operations/take.ts'
import { isUuid } from './parameter-types.ts'
import { SessionEndings } from './session-endings.ts'
import { isWrongOfTables } from './sql-state.ts'
import { type DatabaseOptions, type PostgresStoreOptions, storeOptions } from './store-options.ts'
import { TableAccess } from './table-access.ts'
import { resolveTableNames, type TableNames } from './table-names.ts'
import { applicationTransaction } from './transaction/application-transaction.ts'
import { KnownDatabase } from './transaction/known-database.ts'
import { PostgresTransaction } from './transaction/postgres-transaction.ts'
import { transactionOperations } from './transaction/transaction-operations.ts'
import { JoinedUsers } from './user/joined-users.ts'
import { explainUserFailure } from './user/user-failures.ts'
import { UserCaps } from './user-caps.ts'

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
  /** Not on distributed tables, since no lock spans their servers, nor with a driver that lends no connection. */
  readonly limitsUsers?: true
  readonly keepsFactors = true
  /** There if the option `user` is. */
  readonly loadUser?: NonNullable<SessionStore['loadUser']>
  readonly inspector: StoreInspector
  readonly #driver: Driver
  readonly #names: TableNames
  readonly #options: DatabaseOptions & Pick<PostgresStoreOptions, 'log'>
  readonly #tables: TableAccess
  readonly #operations: StoreOperations
  readonly #announcer: Announcer
  readonly #endings: SessionEndings
  readonly #channel: string
  readonly #isShared: boolean
  readonly #users: JoinedUsers | null
  readonly #database: KnownDatabase

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
    if (!distributed && driver.lends !== false) this.limitsUsers = true
    this.#tables = new TableAccess({
      driver,
      deadline,
      groupCommit: this.#isShared,
      preparation: 'migrate',
      prepare: () => this.#prepare(),
      // The type of the users' key may have changed, or a column that they are read by.
      isOutdated: (error) => this.#users !== null && isWrongOfTables(error),
    })
    this.#database = new KnownDatabase(this.#tables.runner, this.#names)
    this.#users = user === undefined ? null : new JoinedUsers(user)
    if (this.#users !== null) this.loadUser = this.#loadUser.bind(this, this.#users)
    this.#operations = storeOperations(this.#names, this.#tables, this.#users)
    this.inspector = tableInspector(this.#names, this.#tables)
    this.#channel = channelOf(this.#names)
    this.#announcer = new Announcer(this.#tables.runner, announceOperation(this.#channel))
    const caps = new UserCaps(driver, this.#tables, this.#names, this.#announcer)
    this.#endings = new SessionEndings(this.#tables, this.#operations, this.#announcer, caps)
  }

  async ready(): Promise<void> {
    await this.#tables.ready()
    await this.#database.learn()
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
    return this.#endings.create(session, options)
  }

  async save(change: SessionChange, options?: CallOptions): Promise<SaveResult> {
    if (!isUuid(change.id)) return { status: 'gone' }
    return this.#endings.save(change, options)
  }

  async replace(
    ended: TokenPrecondition,
    successor: NewSession,
    options?: CallOptions,
  ): Promise<ReplaceResult> {
    if (!isUuid(ended.id)) return { status: 'gone' }
    return this.#endings.replace(ended, successor, options)
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
    if (!isUuid(ending.id)) return { status: 'gone' }
    return this.#endings.destroy(ending, options)
  }

  listByUser(userId: string, options?: CallOptions): Promise<readonly SessionSummary[]> {
    return this.#tables.ask(this.#operations.listByUser, userId, options)
  }

  destroyByUser(
    userId: string,
    except: readonly string[],
    options?: CallOptions,
  ): Promise<readonly string[]> {
    return this.#endings.destroyByUser(userId, except, options)
  }

  async tag(change: TagChange, options?: CallOptions): Promise<TagResult> {
    if (!isUuid(change.id)) return { status: 'gone' }
    return this.#tables.ask(this.#operations.tag.for(change), change, options)
  }

  listByTag(tag: string, options?: CallOptions): Promise<readonly SessionSummary[]> {
    return this.#tables.ask(this.#operations.listByTag, tag, options)
  }

  destroyByTag(
    tag: string,
    except: readonly string[],
    options?: CallOptions,
  ): Promise<readonly EndedSession[]> {
    return this.#endings.destroyByTag(tag, except, options)
  }

  async endActing(acting: ActorReturn, options?: CallOptions): Promise<ActorReturnResult> {
    if (!isUuid(acting.id) || !isUuid(acting.own)) return { status: 'gone' }
    return this.#endings.endActing(acting, options)
  }

  readUser(userId: string, options?: CallOptions): Promise<readonly StoredSession[]> {
    return this.#tables.ask(this.#operations.readUser, userId, options)
  }

  destroyPage(page: EndingPage, options?: CallOptions): Promise<EndedPage> {
    return this.#endings.destroyPage(page, options)
  }

  readValues(page: ValuePage, options?: CallOptions): Promise<readonly StoredValue[]> {
    return this.#tables.ask(this.#operations.readValues, page, options)
  }

  async replaceValues(
    replacements: readonly ValueReplacement[],
    options?: CallOptions,
  ): Promise<number> {
    if (replacements.length === 0) return 0
    return this.#tables.ask(this.#operations.replaceValues, replacements, options)
  }

  check(options?: CallOptions): Promise<StoreCheck> {
    return this.#tables.ask(this.#operations.check, undefined, options)
  }

  async backdateSignIn(id: string, milliseconds: number, options?: CallOptions): Promise<void> {
    if (!isUuid(id)) return
    await this.#tables.ask(this.#operations.backdateSignIn, { id, milliseconds }, options)
  }

  findLive(ids: readonly string[], options?: CallOptions): Promise<readonly LiveSession[]> {
    const meant = ids.filter(isUuid)
    return this.#tables.ask(this.#operations.findLive.for(meant), meant, options)
  }

  async listen(onHint: OnHint): Promise<RevocationFeed | null> {
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
    const transaction = applicationTransaction(client)
    const operations = transactionOperations(this.#names, this.#operations, {
      channel: this.#announcer.isFutile ? null : this.#channel,
      isOrdered: this.#isShared,
      isMarked: transaction.outlivesItsEnd,
    })
    return new PostgresTransaction(transaction, this.#tables, operations, this.#database)
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
    const asking = this.#tables.use(options, (deadline) =>
      this.#tables.runner.ask(loadUserOperation(this.#names, users.rows), guard, deadline),
    )
    const found = await asking.catch((error) => Promise.reject(explainUserFailure(error)))
    return found === null ? { status: 'gone' } : { status: 'found', user: await users.user(found) }
  }

  async #prepare(): Promise<void> {
    await prepareTables(this.#driver, this.#names, this.#options)
    await this.#users?.prepare(this.#driver, this.deadline)
    // It can't be asked any more once the application has a transaction open.
    if (this.#driver.hasOnlyConnection) await this.#database.learn()
  }
}
