import { PostgresStore } from '../../postgres/postgres-store.ts'
import type { PostgresStoreOptions } from '../../postgres/store-options.ts'
import type { LoadOptions, LoadResult, PresentedToken } from '../../store/session-store.ts'
import type { WaiFallback } from './wai-fallback.ts'

/**
 * Keeps sessions in PostgreSQL, and fetches those that a client still has in the tables of
 * wai-session-postgresql.
 */
export class MovingStore extends PostgresStore {
  readonly #fallback: WaiFallback
  readonly #keyOf: (proof: PresentedToken) => string | undefined

  /** @param keyOf - The key behind a proof, if it is one of the original's. */
  constructor(
    options: PostgresStoreOptions,
    fallback: WaiFallback,
    keyOf: (proof: PresentedToken) => string | undefined,
  ) {
    super(options)
    this.#fallback = fallback
    this.#keyOf = keyOf
  }

  override async load(proof: PresentedToken, options?: LoadOptions): Promise<LoadResult> {
    const found = await super.load(proof, options)
    const key = this.#keyOf(proof)
    if (key === undefined || found.status !== 'unknown') return found
    const adoption = await this.#fallback.adopt(key, options)
    if (adoption.status === 'absent') {
      const { problem } = adoption
      return problem === undefined ? found : { status: 'unknown', problem }
    }
    const moved = await super.load(proof, options)
    if (moved.status !== 'live') return moved
    const { isFlagged, undecodable } = adoption
    // The flag asks for another key, so this one must not have a grace.
    const record = isFlagged ? { ...moved.record, isRotationDue: true } : moved.record
    return { status: 'live', record, undecodable }
  }
}
