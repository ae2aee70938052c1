import type { CallOptions } from '../store/deadline.ts'
import type {
  DestroyResult,
  EndedPage,
  Ending,
  EndingPage,
  NewSession,
  ReplaceResult,
  SaveResult,
  SessionChange,
  TokenPrecondition,
} from '../store/session-store.ts'
import { ANY_SESSION, type Announcer } from './announcer.ts'
import { endedBefore } from './operations/destroy.ts'
import type { StoreOperations } from './operations/store-operations.ts'
import { isUuid } from './parameter-types.ts'
import type { TableAccess } from './table-access.ts'
import { isUnknown } from './unknown-outcome.ts'

/**
 * The calls of a store by which sessions end or pass to another user.
 *
 * Each announces the sessions that may have ended, also when its answer got lost.
 */
export class SessionEndings {
  readonly #tables: TableAccess
  readonly #operations: StoreOperations
  readonly #announcer: Announcer

  constructor(tables: TableAccess, operations: StoreOperations, announcer: Announcer) {
    this.#tables = tables
    this.#operations = operations
    this.#announcer = announcer
  }

  async save(change: SessionChange, options?: CallOptions): Promise<SaveResult> {
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
    const call = { ended, successor }
    const result = await this.#tables
      .ask(this.#operations.replace, call, options)
      .catch((error) => this.#mayHaveEnded(ended.id, error))
    if (result.status === 'created') this.#announcer.announce([ended.id])
    return result
  }

  async destroy(ending: Ending, options?: CallOptions): Promise<DestroyResult> {
    const { id, secretHashes } = ending
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

  async destroyPage(page: EndingPage, options?: CallOptions): Promise<EndedPage> {
    const answer = await this.#tables
      .ask(this.#operations.destroyPage, page, options)
      .catch((error) => this.#mayHaveEnded(ANY_SESSION, error))
    this.#announcer.announce(answer.ended.map(({ id }) => id))
    return answer
  }

  /** Announces an ending whose answer got lost: a listener then looks, and sees what has happened. */
  #mayHaveEnded(id: string, error: unknown): never {
    if (isUnknown(error)) this.#announcer.announce([id])
    throw error
  }
}
