import type { PostgresStoreOptions } from '../../postgres/store-options.ts'
import type { CallOptions } from '../../store/deadline.ts'
import type { EndedPage, EndingPage, StoredSession } from '../../store/session-erasure.ts'
import type {
  CreateResult,
  NewSession,
  PresentedToken,
  ReplaceResult,
  SessionSummary,
  TokenPrecondition,
} from '../../store/session-store.ts'
import { MovingStore } from '../moving-store.ts'
import type { OldToken } from './old-tokens.ts'
import type { TokenTableFallback } from './token-table-fallback.ts'

/**
 * Keeps sessions in PostgreSQL, and fetches those that are still in the table of another library: one by its
 * token, and all of a user before they are listed, counted or ended.
 */
export class TokenTableStore extends MovingStore<OldToken> {
  readonly #fallback: TokenTableFallback

  constructor(
    options: PostgresStoreOptions,
    fallback: TokenTableFallback,
    tokenOf: (proof: PresentedToken) => OldToken | undefined,
  ) {
    super(options, fallback, tokenOf)
    this.#fallback = fallback
  }

  override async create(session: NewSession, options?: CallOptions): Promise<CreateResult> {
    await this.#adoptCounted(session, options)
    return super.create(session, options)
  }

  override async replace(
    ended: TokenPrecondition,
    successor: NewSession,
    options?: CallOptions,
  ): Promise<ReplaceResult> {
    await this.#adoptCounted(successor, options)
    return super.replace(ended, successor, options)
  }

  override async listByUser(
    userId: string,
    options?: CallOptions,
  ): Promise<readonly SessionSummary[]> {
    await this.#adoptUser(userId, options)
    return super.listByUser(userId, options)
  }

  override async destroyByUser(
    userId: string,
    except: readonly string[],
    options?: CallOptions,
  ): Promise<readonly string[]> {
    await this.#adoptUser(userId, options)
    return super.destroyByUser(userId, except, options)
  }

  override async readUser(
    userId: string,
    options?: CallOptions,
  ): Promise<readonly StoredSession[]> {
    await this.#adoptUser(userId, options)
    return super.readUser(userId, options)
  }

  override async destroyPage(page: EndingPage, options?: CallOptions): Promise<EndedPage> {
    if (page.after === null) {
      await this.ready()
      await this.#fallback.forgetAll(options)
    }
    return super.destroyPage(page, options)
  }

  /** A cap counts the sessions of its user, wherever they are. */
  async #adoptCounted({ cap, userId }: NewSession, options?: CallOptions): Promise<void> {
    if (cap !== undefined && userId !== null) await this.#adoptUser(userId, options)
  }

  async #adoptUser(userId: string, options?: CallOptions): Promise<void> {
    await this.ready()
    await this.#fallback.adoptUser(userId, options)
  }
}
