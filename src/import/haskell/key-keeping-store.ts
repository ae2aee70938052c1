import { ConfigurationError } from '../../errors.ts'
import { keyOf } from '../../haskell/wai-tokens.ts'
import type { CallOptions } from '../../store/deadline.ts'
import type {
  CreateResult,
  DestroyResult,
  Ending,
  EntryUpdate,
  LoadResult,
  NewSession,
  PresentedToken,
  ReplaceResult,
  SaveResult,
  SessionChange,
  SessionStore,
  SessionSummary,
  StoreCounts,
  TakeResult,
  TokenPrecondition,
  Touch,
  UpdateResult,
} from '../../store/session-store.ts'
import type { EntryTranslation } from './entry-translation.ts'
import { isRowId } from './key-keeping-tokens.ts'
import { waiIdentity, waiProof } from './wai-identity.ts'

type TakenEntry = Parameters<SessionStore['take']>[0]

/** The two places where sessions are while a rolling deployment goes on. */
export interface KeyKeepingStoreOptions {
  /** On the tables of wai-session-postgresql. */
  readonly theirs: SessionStore
  /** On the tables of this package. Moves nothing. */
  readonly ours: SessionStore
  readonly entries: EntryTranslation
  /** The key behind a token, if it is one of the original's. */
  keyOf(token: PresentedToken): string | undefined
}

/**
 * Keeps sessions where the processes of the release before can still find them, and serves those that the
 * processes of the next release have moved.
 *
 * New sessions begin in the old tables, under a key. A session is told apart by its id: a row's number there,
 * a UUID here.
 */
export class KeyKeepingStore implements SessionStore {
  readonly name = 'wai-keys'
  readonly needs = ['tokens'] as const
  readonly deadline?: number
  readonly #theirs: SessionStore
  readonly #ours: SessionStore
  readonly #entries: EntryTranslation
  readonly #keyOf: KeyKeepingStoreOptions['keyOf']

  constructor({ theirs, ours, entries, keyOf: keyBehind }: KeyKeepingStoreOptions) {
    this.#theirs = theirs
    this.#ours = ours
    this.#entries = entries
    this.#keyOf = keyBehind
    if (ours.deadline !== undefined) this.deadline = ours.deadline
  }

  /** @throws {ConfigurationError} Always: the other service could not read sealed values. */
  sealMovedBy(): never {
    throw new ConfigurationError(
      'With keepKeys, the service on wai-session-postgresql still reads the values of these sessions, and could not read sealed ones. Set seal in the second step, when keepKeys is gone.',
    )
  }

  async ready(): Promise<void> {
    await Promise.all([this.#theirs.ready(), this.#ours.ready()])
  }

  async load(token: PresentedToken, options?: CallOptions): Promise<LoadResult> {
    const key = this.#keyOf(token)
    if (key === undefined) return this.#ours.load(token, options)
    const found = await this.#theirs.load({ id: '', secretHashes: token.secretHashes }, options)
    if (found.status !== 'unknown') return this.#entries.loaded(found)
    const { id, secretHashes } = waiProof(key)
    return this.#ours.load({ id, secretHashes }, options)
  }

  create(session: NewSession, options?: CallOptions): Promise<CreateResult> {
    return this.#theirs.create(this.#entries.newSession(session), options)
  }

  save(change: SessionChange, options?: CallOptions): Promise<SaveResult> {
    return isRowId(change.id)
      ? this.#theirs.save(this.#entries.change(change), options)
      : this.#ours.save(change, options)
  }

  replace(
    ended: TokenPrecondition,
    successor: NewSession,
    options?: CallOptions,
  ): Promise<ReplaceResult> {
    if (isRowId(ended.id)) {
      return this.#theirs.replace(ended, this.#entries.newSession(successor), options)
    }
    // The successor's token is a key, which stands for this id and hash, as that of a moved session does.
    const key = keyOf(successor.secretHash)
    const identity = key === null ? {} : waiIdentity(key)
    const session = { ...successor, ...identity }
    return this.#ours
      .replace(ended, session, options)
      .then((result) =>
        result.status === 'created' ? { ...result, id: result.id ?? session.id } : result,
      )
  }

  async update(update: EntryUpdate, options?: CallOptions): Promise<UpdateResult> {
    if (!isRowId(update.id)) return this.#ours.update(update, options)
    const theirs = this.#entries.update(update)
    let result = await this.#theirs.update(theirs, options)
    if (result.status === 'changed' && this.#isAsExpected(result.current, update)) {
      result = await this.#theirs.update({ ...theirs, expected: result.current }, options)
    }
    if (result.status !== 'changed') return result
    return { status: 'changed', current: this.#entries.valueFrom(result.current) }
  }

  async take(entry: TakenEntry, options?: CallOptions): Promise<TakeResult> {
    if (!isRowId(entry.id)) return this.#ours.take(entry, options)
    const theirs = { ...entry, key: this.#entries.keyFor(entry.key) }
    const result = await this.#theirs.take(theirs, options)
    return result.status === 'taken'
      ? { status: 'taken', value: this.#entries.valueFrom(result.value) }
      : result
  }

  touch(touch: Touch, options?: CallOptions): Promise<void> {
    return this.#storeOf(touch.id).touch(touch, options)
  }

  destroy(ending: Ending, options?: CallOptions): Promise<DestroyResult> {
    return this.#storeOf(ending.id).destroy(ending, options)
  }

  /** Sessions in the old tables have no user, so it finds none of them. */
  listByUser(userId: string, options?: CallOptions): Promise<readonly SessionSummary[]> {
    return this.#ours.listByUser(userId, options)
  }

  destroyByUser(
    userId: string,
    except: readonly string[],
    options?: CallOptions,
  ): Promise<readonly string[]> {
    return this.#ours.destroyByUser(userId, except, options)
  }

  async count(options?: CallOptions): Promise<StoreCounts> {
    const [theirs, ours] = await Promise.all([
      this.#theirs.count(options),
      this.#ours.count(options),
    ])
    return { live: theirs.live + ours.live, expired: theirs.expired + ours.expired }
  }

  async purge(limit: number, options?: CallOptions): Promise<number> {
    const removed = await this.#ours.purge(limit, options)
    if (removed >= limit) return removed
    return removed + (await this.#theirs.purge(limit - removed, options))
  }

  async close(): Promise<void> {
    await Promise.all([this.#theirs.close(), this.#ours.close()])
  }

  /** A value has several spellings there, and one of another type counts as absent. */
  #isAsExpected(stored: Uint8Array | null, { expected }: EntryUpdate): boolean {
    if (stored === null) return false
    const current = this.#entries.valueFrom(stored)
    return current === null || expected === null
      ? current === expected
      : Buffer.compare(current, expected) === 0
  }

  #storeOf(id: string): SessionStore {
    return isRowId(id) ? this.#theirs : this.#ours
  }
}
