import type {
  LoadOptions,
  LoadResult,
  PresentedToken,
  SessionStore,
} from '../store/session-store.ts'

/** A token that a client showed. */
export interface ShownToken {
  /** The token in plain text. */
  readonly token: string
  readonly proof: PresentedToken
}

/** What the store says about a token. */
export interface LoadedToken {
  readonly shown: ShownToken
  readonly result: LoadResult
}

/**
 * Loads the session of one of several tokens: a client shows them when a cookie of an earlier `domain` or `path`
 * is left beside the present one. The token whose session lives counts.
 *
 * @param tokens - At least one.
 * @returns The string `ambiguous` if two sessions live: another host of the domain may have planted one of
 * the tokens, and nothing tells which.
 */
export async function loadShown(
  store: SessionStore,
  tokens: readonly ShownToken[],
  options: LoadOptions,
): Promise<LoadedToken | 'ambiguous'> {
  const loaded = await Promise.all(
    tokens.map(async (shown) => ({ shown, result: await store.load(shown.proof, options) })),
  )
  const [first] = loaded as [LoadedToken]
  const records = loaded.flatMap(({ result }) => (result.status === 'live' ? [result.record] : []))
  if (new Set(records.map(({ id }) => id)).size > 1) return 'ambiguous'
  // Of the tokens of one session, that in force rather than the one it has replaced.
  const record = records.find(({ previousToken }) => !previousToken?.isShown) ?? records[0]
  return loaded.find(({ result }) => result.status === 'live' && result.record === record) ?? first
}
