import { createHash } from 'node:crypto'
import { hashedId } from '../../cryptography/hashed-id.ts'
import type { PresentedToken } from '../../store/session-store.ts'

/** Keeps ids apart from every other SHA-256 over a key, the stored one above all. Never changes. */
const ID_DOMAIN = 'pg-sessions wai key to id v1\0'

/** Which session a key of wai-session-postgresql stands for here. Nothing in it gives the key away. */
export interface WaiIdentity {
  readonly id: string
  readonly secretHash: Uint8Array
}

/**
 * Says which session a key stands for once it has been moved: always the same, so that no caller has to look
 * it up, and a session that was moved once is known again.
 */
export function waiIdentity(key: string): WaiIdentity {
  return { id: hashedId(ID_DOMAIN, key), secretHash: sha256(key) }
}

/** What a client that shows this key may open, until its first response brings another token. */
export function waiProof(key: string): PresentedToken {
  const { id, secretHash } = waiIdentity(key)
  return { id, secretHashes: [secretHash], isOutdated: true }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
