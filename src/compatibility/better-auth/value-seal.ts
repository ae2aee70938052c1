import * as crypto from 'node:crypto'
import type { PresentedToken } from '../../store/session-store.ts'

/** Which row a key of better-auth stands for. Nothing in it gives the key away. */
export interface KeyIdentity extends PresentedToken {
  /** What is stored of the key. */
  readonly secretHash: Uint8Array
}

/** Keeps ids apart from every other SHA-256 over a key. Never changes. */
const ID_DOMAIN = 'pg-sessions better-auth key to id v1\0'
const HASH_DOMAIN = 'pg-sessions better-auth key hash v1'
const SEAL_DOMAIN = 'pg-sessions better-auth value v1'

const IV = 12
const TAG = 16

/**
 * Hashes keys and seals values, so that a dump of the database opens no session.
 *
 * Keys and values of better-auth hold session tokens in clear. A key becomes a UUID of version 8 (RFC 9562
 * section 5.8) by SHA-256, and an HMAC that a row must match. A value is sealed by AES-256-GCM under a key
 * derived from the secret, bound to its row: no value opens in the place of another.
 */
export class ValueSeal {
  readonly #keys: readonly { readonly hash: Buffer; readonly seal: Buffer }[]

  /** @param secrets - The first one hashes and seals; the others still match and open. At least one. */
  constructor(secrets: readonly string[]) {
    this.#keys = secrets.map((secret) => ({
      hash: derive(secret, HASH_DOMAIN),
      seal: derive(secret, SEAL_DOMAIN),
    }))
  }

  identify(key: string): KeyIdentity {
    const secretHashes = this.#keys.map(({ hash }) =>
      crypto.createHmac('sha256', hash).update(key).digest(),
    )
    const id = uuidOf(
      crypto
        .createHash('sha256')
        .update(ID_DOMAIN + key)
        .digest(),
    )
    return { id, secretHash: secretHashes[0] as Uint8Array, secretHashes }
  }

  seal(id: string, text: string): Uint8Array {
    const iv = crypto.randomBytes(IV)
    const cipher = crypto.createCipheriv(
      'aes-256-gcm',
      (this.#keys[0] as { seal: Buffer }).seal,
      iv,
    )
    cipher.setAAD(Buffer.from(id))
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
    return Buffer.concat([iv, cipher.getAuthTag(), sealed])
  }

  /** Null if none of the secrets has sealed it for this row. */
  open(id: string, sealed: Uint8Array): string | null {
    for (const { seal } of this.#keys) {
      const text = openWith(seal, id, sealed)
      if (text !== null) return text
    }
    return null
  }
}

function openWith(key: Buffer, id: string, sealed: Uint8Array): string | null {
  if (sealed.length < IV + TAG) return null
  const iv = sealed.subarray(0, IV)
  const decipher = crypto.createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG })
  decipher.setAAD(Buffer.from(id))
  decipher.setAuthTag(sealed.subarray(IV, IV + TAG))
  try {
    const text = [decipher.update(sealed.subarray(IV + TAG)), decipher.final()]
    return Buffer.concat(text).toString('utf8')
  } catch {
    return null
  }
}

function derive(secret: string, domain: string): Buffer {
  return Buffer.from(crypto.hkdfSync('sha256', secret, '', domain, 32))
}

function uuidOf(digest: Buffer): string {
  digest.writeUInt8((digest.readUInt8(6) & 0x0f) | 0x80, 6)
  digest.writeUInt8((digest.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = digest.toString('hex', 0, 16)
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
