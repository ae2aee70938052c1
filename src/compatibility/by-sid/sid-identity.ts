import { hashedId } from '../../cryptography/hashed-id.ts'
import { sha256 } from '../../cryptography/sha256.ts'
import { createTokens, randomToken, type TokenFormat } from '../../session/token.ts'
import type { PresentedToken } from '../../store/session-store.ts'

/** Which record a sid stands for. Nothing in it gives the sid away. */
export interface SidIdentity {
  /** The record's public id, a UUID. */
  readonly id: string
  /** What is stored of the sid. */
  readonly secretHash: Uint8Array
  /** What a client that showed this sid may open. */
  readonly proof: PresentedToken
}

/** The tokens that sessions have by default; they stand beside a system whose sids have no pepper. */
export const plainTokens: TokenFormat = createTokens({
  generateSecret: () => randomToken(24),
  peppers: [],
})

/** Keeps ids apart from every other SHA-256 over a sid, the stored one above all. Never changes. */
const ID_DOMAIN = 'pg-sessions sid to id v1\0'

/**
 * Says which record a sid stands for, whatever made the sid.
 *
 * A sid that reads as a native token is that session, and the two sides share it. Any other has an id
 * from a hash of its own: the first 128 bits of SHA-256 over a fixed prefix and the sid, marked as a
 * UUID of version 8 (RFC 9562 section 5.8). Stored is SHA-256 over the sid. So the same sid always finds the
 * same record, on every process and after every import, and the database shows no sid.
 *
 * @example
 * ```ts
 * const { proof } = sidIdentity('q1N7zQp9Yy0kVtK3ZcE2wB5rXhJ8mUaL')
 * const found = await store.load(proof)
 * ```
 */
export function sidIdentity(sid: string): SidIdentity {
  const native = plainTokens.read(sid)
  if (native !== null) return identity(native.id, native.secretHashes[0] as Uint8Array)
  return identity(hashedId(ID_DOMAIN, sid), sha256(sid))
}

function identity(id: string, secretHash: Uint8Array): SidIdentity {
  return { id, secretHash, proof: { id, secretHashes: [secretHash] } }
}
