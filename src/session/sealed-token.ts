import { createHmac } from 'node:crypto'
import { decrypt, encrypt } from '../cryptography/aes-gcm.ts'

/**
 * Seals a renewed token so that only the holder of the token before can open it.
 *
 * The store keeps the sealed successor while the old token has its grace. A client whose response got lost
 * shows the old token again and gets the same successor, instead of another one that would kill the first.
 * The key is derived from the old token, which is stored nowhere: a database dump opens nothing.
 */
export function sealToken(token: string, predecessor: string): Uint8Array {
  return encrypt(token, keyOf(predecessor))
}

/** Opens a sealed token; null if this predecessor did not seal it, or it was tampered with. */
export function openSealedToken(sealed: Uint8Array, predecessor: string): string | null {
  return decrypt(sealed, keyOf(predecessor))?.toString('utf8') ?? null
}

/** HMAC rather than the token's stored hash, which must not open anything. */
function keyOf(token: string): Buffer {
  return createHmac('sha256', token).update('pg-sessions: successor of a renewed token').digest()
}
