import { createHash } from 'node:crypto'
import { type WaiTokenOptions, waiTokens } from '../../haskell/wai-tokens.ts'
import type { TokenFormat } from '../../session/token.ts'
import type { PresentedToken } from '../../store/session-store.ts'

/** Tokens of a store that holds sessions of both kinds, and the key behind one of them. */
export interface KeyTokens {
  readonly tokens: TokenFormat
  keyOf(token: PresentedToken): string | undefined
}

/** Makes keys for sessions in the old tables, and reads keys and tokens of ours. */
export function keyKeepingTokens(ours: TokenFormat, keys: WaiTokenOptions | undefined): KeyTokens {
  const theirs = waiTokens(keys)
  const shown = new WeakMap<PresentedToken, string>()
  return {
    tokens: {
      issue: theirs.issue,
      reissue: (id) => (isRowId(id) ? theirs.reissue(id) : ours.reissue(id)),
      read(token) {
        const presented = ours.read(token) ?? theirs.read(token)
        if (presented === null || presented.id !== '') return presented
        // A session that has moved since is known by the hash of its key.
        const moved = createHash('sha256').update(token).digest()
        const ofKey = { ...presented, secretHashes: [...presented.secretHashes, moved] }
        shown.set(ofKey, token)
        return ofKey
      },
    },
    keyOf: (token) => shown.get(token),
  }
}

/** Whether an id is the number of a row of the original's tables, and not a UUID. */
export function isRowId(id: string): boolean {
  return /^[0-9]{1,19}$/.test(id)
}
