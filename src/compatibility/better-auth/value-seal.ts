import * as crypto from 'node:crypto'
import { decrypt, encrypt } from '../../cryptography/aes-gcm.ts'
import { hashedId } from '../../cryptography/hashed-id.ts'
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

/**
 * Hashes keys and seals values, so that a dump of the database opens no session.
 *
 * Keys and values of better-auth hold session tokens in plain text. A key becomes a UUID of version 8 (RFC 9562
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
    return { id: hashedId(ID_DOMAIN, key), secretHash: secretHashes[0] as Uint8Array, secretHashes }
  }

  seal(id: string, text: string): Uint8Array {
    return encrypt(text, (this.#keys[0] as { seal: Buffer }).seal, placeOf(id))
  }

  /** Null if none of the secrets has sealed it for this row. */
  open(id: string, sealed: Uint8Array): string | null {
    for (const { seal } of this.#keys) {
      const text = decrypt(sealed, seal, placeOf(id))
      if (text !== null) return text.toString('utf8')
    }
    return null
  }
}

/** What a value is bound to. */
function placeOf(id: string): Buffer {
  return Buffer.from(id)
}

function derive(secret: string, domain: string): Buffer {
  return Buffer.from(crypto.hkdfSync('sha256', secret, '', domain, 32))
}
