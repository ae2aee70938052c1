import { PostgresStore } from '../postgres/postgres-store.ts'
import type { PostgresStoreOptions } from '../postgres/store-options.ts'
import type { CallOptions } from '../store/deadline.ts'
import type { LoadOptions, LoadResult, PresentedToken, SealMoved } from '../store/session-store.ts'

/** What became of the session of an old token. */
export type Adoption =
  | {
      readonly status: 'absent'
      /** Why the session that is there cannot move. */
      readonly problem?: string
    }
  | {
      readonly status: 'adopted'
      /** Whether the other system has asked for another token. */
      readonly isFlagged: boolean
      /** The keys of entries that were left out. */
      readonly undecodable: readonly (string | null)[]
    }

/** Sessions that are still in another system's tables. */
export interface MovingFallback<Token> {
  /** Moves the session of this token, if it is there and alive. */
  adopt(token: Token, options?: CallOptions): Promise<Adoption>
  /** Encrypts the values of sessions that move from now on. */
  sealBy(seal: SealMoved): void
}

/** Keeps sessions in PostgreSQL, and fetches those that a client still has in another system's tables. */
export class MovingStore<Token> extends PostgresStore {
  readonly needs = ['tokens'] as const
  readonly #fallback: MovingFallback<Token>
  readonly #tokenOf: (proof: PresentedToken) => Token | undefined

  /** @param tokenOf - The old token behind a proof, if it is one. */
  constructor(
    options: PostgresStoreOptions,
    fallback: MovingFallback<Token>,
    tokenOf: (proof: PresentedToken) => Token | undefined,
  ) {
    super(options)
    this.#fallback = fallback
    this.#tokenOf = tokenOf
  }

  sealMovedBy(seal: SealMoved): void {
    this.#fallback.sealBy(seal)
  }

  override async load(proof: PresentedToken, options?: LoadOptions): Promise<LoadResult> {
    const found = await super.load(proof, options)
    const token = this.#tokenOf(proof)
    if (token === undefined || found.status !== 'unknown') return found
    const adoption = await this.#fallback.adopt(token, options)
    if (adoption.status === 'absent') {
      const { problem } = adoption
      return problem === undefined ? found : { status: 'unknown', problem }
    }
    const moved = await super.load(proof, options)
    if (moved.status !== 'live') return moved
    const { isFlagged, undecodable } = adoption
    // The flag asks for another token, so this one must not have a grace.
    const record = isFlagged ? { ...moved.record, isRotationDue: true } : moved.record
    return { status: 'live', record, undecodable }
  }
}
