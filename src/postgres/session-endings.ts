import type { CallOptions } from '../store/deadline.ts'
import type {
  ActorReturn,
  ActorReturnResult,
  CreateResult,
  DestroyResult,
  EndedPage,
  EndedSession,
  Ending,
  EndingPage,
  NewSession,
  ReplaceResult,
  SaveResult,
  SessionChange,
  TokenPrecondition,
} from '../store/session-store.ts'
import { ANY_SESSION, type Announcer } from './announcer.ts'
import { createOnce } from './create-once.ts'
import { endedBefore, refuseKept } from './operations/destroy.ts'
import { isRenewalAlone } from './operations/save-credentials.ts'
import type { StoreOperations } from './operations/store-operations.ts'
import { isUuid } from './parameter-types.ts'
import type { TableAccess } from './table-access.ts'
import { isUnknown } from './unknown-outcome.ts'
import type { UserCaps } from './user-caps.ts'

/**
 * The calls of a store by which sessions end or pass to another user.
 *
 * Each announces the sessions that may have ended, also when its answer got lost.
 */
export class SessionEndings {
  readonly #tables: TableAccess
  readonly #operations: StoreOperations
  readonly #announcer: Announcer
  readonly #caps: UserCaps

  constructor(
    tables: TableAccess,
    operations: StoreOperations,
    announcer: Announcer,
    caps: UserCaps,
  ) {
    this.#caps = caps
    this.#tables = tables
    this.#operations = operations
    this.#announcer = announcer
  }

  create(session: NewSession, options?: CallOptions): Promise<CreateResult> {
    return createOnce(this.#tables, this.#operations, this.#caps, session, options)
  }

  async save(change: SessionChange, options?: CallOptions): Promise<SaveResult> {
    if (change.credentials === undefined) return this.#operations.save.run(change, options)
    const { signIn } = change.credentials
    const hasChangedHands = signIn !== undefined && signIn.userId !== change.userId
    const result = await this.#saveCredentials(change, options).catch((error) => {
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
    const { userId, cap } = successor
    const { replace: operation } = this.#operations
    const replacing =
      userId === null || cap === undefined
        ? this.#tables.ask(operation, call, options)
        : this.#signInCapped({ userId, cap, own: ended.id, operation, call }, options)
    const result = await replacing.catch((error) => this.#mayHaveEnded(ended.id, error))
    if (result.status === 'created') this.#announcer.announce([ended.id])
    return result
  }

  async destroy(ending: Ending, options?: CallOptions): Promise<DestroyResult> {
    const { id, secretHashes } = ending
    const call = { deadline: options?.deadline ?? this.#tables.runner.begin() }
    const { lookUp, destroy, destroyAgain } = this.#operations
    // Only what was there before tells, after a lost answer, whether this call has ended it.
    const before = secretHashes === undefined ? await lookUp.run(id, call) : null
    if (before !== null && before.found === undefined) return { status: 'gone' }
    const result = await destroy.run(ending, call).catch(async (error: unknown) => {
      if (!isUnknown(error)) throw error
      this.#announcer.announce([id])
      const again = this.#tables.ask(destroyAgain, ending, call)
      return endedBefore(await again.catch(() => Promise.reject(error)), ending, before?.found)
    })
    if (result.status === 'ended') this.#announcer.announce([id])
    return result
  }

  async destroyByUser(
    userId: string,
    except: readonly string[],
    options?: CallOptions,
  ): Promise<readonly string[]> {
    const { listByUser, destroyByUser } = this.#operations
    const ended = await this.#destroySeveral(listByUser, destroyByUser, userId, except, options)
    return ended.map(({ id }) => id)
  }

  destroyByTag(
    tag: string,
    except: readonly string[],
    options?: CallOptions,
  ): Promise<readonly EndedSession[]> {
    const { listByTag, destroyByTag } = this.#operations
    return this.#destroySeveral(listByTag, destroyByTag, tag, except, options)
  }

  async endActing(acting: ActorReturn, options?: CallOptions): Promise<ActorReturnResult> {
    const result = await this.#tables
      .ask(this.#operations.endActing, acting, options)
      .catch((error) => this.#mayHaveEnded(acting.id, error))
    if (result.status === 'ended') this.#announcer.announce([acting.id])
    return result
  }

  /** A capped sign-in has a transaction of its own, and a renewal is sent again where a shared statement is not. */
  #saveCredentials(change: SessionChange, options?: CallOptions): Promise<SaveResult> {
    const { saveCredentials, saveCredentialsAlone } = this.#operations
    const { userId, cap } = change.credentials?.signIn ?? {}
    if (userId !== undefined && cap !== undefined) {
      const operation = saveCredentialsAlone.once
      return this.#signInCapped({ userId, cap, own: change.id, operation, call: change }, options)
    }
    return isRenewalAlone(change)
      ? this.#tables.ask(saveCredentialsAlone.again, change, options)
      : saveCredentials.run(change, options)
  }

  async #signInCapped<Call, Answer extends SaveResult | ReplaceResult>(
    signIn: Omit<Parameters<typeof UserCaps.prototype.signIn<Call, Answer>>[0], 'isDone'>,
    options?: CallOptions,
  ): Promise<Answer> {
    const isDone = ({ status }: Answer): boolean => status === 'saved' || status === 'created'
    const { answer, evicted } = await this.#caps.signIn<Call, Answer>(
      { ...signIn, isDone },
      options,
    )
    return isDone(answer) ? { ...answer, evicted } : answer
  }

  async #destroySeveral(
    list: StoreOperations['listByUser'],
    destroy: StoreOperations['destroyByUser'],
    of: string,
    except: readonly string[],
    options?: CallOptions,
  ): Promise<readonly EndedSession[]> {
    const call = { deadline: options?.deadline ?? this.#tables.runner.begin() }
    const live = await this.#tables.ask(list, of, call)
    const ending = { of, except: except.filter(isUuid) }
    try {
      const ended = await this.#tables.ask(destroy, ending, call)
      this.#announce(ended)
      await this.#refuseKept(live, except, ended, () => this.#tables.ask(list, of, call))
      return ended
    } catch (error) {
      if (!isUnknown(error)) throw error
      const before = live.filter(({ id }) => !except.includes(id))
      this.#announce(before)
      // The answer got lost, so a second try may find none of those that the first has ended.
      const rest = await this.#tables.ask(destroy, ending, call).catch(() => Promise.reject(error))
      const ended = new Map([...before, ...rest].map(({ id, userId }) => [id, { id, userId }]))
      this.#announce([...ended.values()])
      const left = await this.#tables.ask(list, of, call).catch(() => [])
      refuseKept(left.some(({ id }) => ended.has(id)))
      return [...ended.values()]
    }
  }

  #announce(ended: readonly EndedSession[]): void {
    this.#announcer.announce(ended.map(({ id }) => id))
  }

  async destroyPage(page: EndingPage, options?: CallOptions): Promise<EndedPage> {
    const answer = await this.#tables
      .ask(this.#operations.destroyPage, page, options)
      .catch((error) => this.#mayHaveEnded(ANY_SESSION, error))
    this.#announce(answer.ended)
    refuseKept(answer.isKept)
    return answer
  }

  /** Others have ended the sessions that are missing from an answer, unless a list still has them. */
  async #refuseKept(
    before: readonly EndedSession[],
    except: readonly string[],
    ended: readonly EndedSession[],
    listAgain: () => Promise<readonly EndedSession[]>,
  ): Promise<void> {
    const accounted = new Set([...except, ...ended.map(({ id }) => id)])
    const missed = new Set(before.map(({ id }) => id).filter((id) => !accounted.has(id)))
    if (missed.size === 0) return
    const live = await listAgain().catch(() => [])
    refuseKept(live.some(({ id }) => missed.has(id)))
  }

  /** Announces an ending whose answer got lost: a listener then looks, and sees what has happened. */
  #mayHaveEnded(id: string, error: unknown): never {
    if (isUnknown(error)) this.#announcer.announce([id])
    throw error
  }
}
