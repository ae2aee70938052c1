import * as crypto from 'node:crypto'

/**
 * Seals a renewed token so that only the holder of the token before can open it.
 *
 * The store keeps the sealed successor while the old token has its grace. A client whose response got lost
 * shows the old token again and gets the same successor, instead of another one that would kill the first.
 * The key is derived from the old token, which is stored nowhere: a database dump opens nothing.
 */
export function sealToken(token: string, predecessor: string): Uint8Array {
  const iv = crypto.randomBytes(IV)
  const cipher = crypto.createCipheriv('aes-256-gcm', keyOf(predecessor), iv)
  const sealed = Buffer.concat([cipher.update(token, 'utf8'), cipher.final()])
  return Buffer.concat([iv, cipher.getAuthTag(), sealed])
}

/** Opens a sealed token; null if this predecessor did not seal it, or it was tampered with. */
export function openSealedToken(sealed: Uint8Array, predecessor: string): string | null {
  if (sealed.length < IV + TAG) return null
  const decipher = crypto.createDecipheriv(
    'aes-256-gcm',
    keyOf(predecessor),
    sealed.subarray(0, IV),
    { authTagLength: TAG },
  )
  decipher.setAuthTag(sealed.subarray(IV, IV + TAG))
  try {
    const token = [decipher.update(sealed.subarray(IV + TAG)), decipher.final()]
    return Buffer.concat(token).toString('utf8')
  } catch {
    return null
  }
}

const IV = 12
const TAG = 16

/** HMAC rather than the token's stored hash, which must not open anything. */
function keyOf(token: string): Buffer {
  return crypto
    .createHmac('sha256', token)
    .update('pg-sessions: successor of a renewed token')
    .digest()
}
