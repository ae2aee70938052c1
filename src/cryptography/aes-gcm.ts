import * as crypto from 'node:crypto'

const NONCE = 12
const TAG = 16

/** How many bytes what is sealed is longer than what it holds. */
export const SEAL_SIZE: number = NONCE + TAG

const NO_CONTEXT = new Uint8Array()

/**
 * Encrypts with AES-256-GCM under a random nonce: nonce, ciphertext, tag.
 *
 * @param context - Authenticated with it, and needed again to decrypt: where the value belongs.
 * @see NIST SP 800-38D.
 */
export function encrypt(
  plain: Uint8Array | string,
  key: Uint8Array,
  context: Uint8Array = NO_CONTEXT,
): Uint8Array {
  const nonce = crypto.randomBytes(NONCE)
  const cipher = crypto.createCipheriv('aes-256-gcm', key, nonce).setAAD(context)
  const ciphertext = [cipher.update(Buffer.from(plain)), cipher.final()]
  return Buffer.concat([nonce, ...ciphertext, cipher.getAuthTag()])
}

/** Decrypts; null if this key did not encrypt it in this context, or it was changed, cut off or extended. */
export function decrypt(
  sealed: Uint8Array,
  key: Uint8Array,
  context: Uint8Array = NO_CONTEXT,
): Buffer | null {
  if (sealed.length < SEAL_SIZE) return null
  const end = sealed.length - TAG
  const decipher = crypto
    .createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE), { authTagLength: TAG })
    .setAAD(context)
    .setAuthTag(sealed.subarray(end))
  const plain = decipher.update(sealed.subarray(NONCE, end))
  try {
    decipher.final()
    return plain
  } catch {
    return null
  }
}
