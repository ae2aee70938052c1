import * as crypto from 'node:crypto'
import { ConfigurationError } from '../errors.ts'
import { andThen, type MaybePromise } from './maybe-promise.ts'

/** A key for sealed values: 32 random bytes, as they are or in base64, or a `CryptoKey` for HMAC with SHA-256. */
export type SealKeyInput = string | Uint8Array | CryptoKeyLike

/** As much of a `CryptoKey` as is looked at, so that the types of no runtime are needed. */
export interface CryptoKeyLike {
  readonly type: string
  readonly extractable: boolean
  readonly algorithm: { readonly name: string }
  readonly usages: readonly string[]
}

const KEY = 32
export const KEY_ID = 8

/** The purposes of one key: what is derived for one is of no use for the other. */
const FOR_ID = 'pg-sessions: the id of a key for sealed values'
const FOR_SESSION = 'pg-sessions: sealed values of '

/**
 * A key from which each session's own is derived, by HMAC-SHA-256.
 *
 * With one key for all sessions, random nonces would be safe for 2^32 values in all. With one for each session they
 * are for 2^32 values of one session, which no session reaches.
 *
 * @see NIST SP 800-38D, section 8.3, and SP 800-108.
 */
export class SealKey {
  readonly #hmac: (message: string) => MaybePromise<Buffer>
  #id: Buffer | null = null
  #last: { readonly sessionId: string; readonly key: Buffer } | null = null

  constructor(hmac: (message: string) => MaybePromise<Buffer>) {
    this.#hmac = hmac
  }

  /** Names the key in a sealed value. It tells nothing of the key. */
  get id(): MaybePromise<Buffer> {
    if (this.#id !== null) return this.#id
    return andThen(this.#hmac(FOR_ID), (digest) => {
      this.#id = digest.subarray(0, KEY_ID)
      return this.#id
    })
  }

  /** The key of one session's values. The last one is kept, since the values of a session come together. */
  ofSession(sessionId: string): MaybePromise<Buffer> {
    if (this.#last?.sessionId === sessionId) return this.#last.key
    return andThen(this.#hmac(FOR_SESSION + sessionId.toLowerCase()), (key) => {
      this.#last = { sessionId, key }
      return key
    })
  }
}

/**
 * Reads a key.
 *
 * @param name - Names it in messages: `seal.keys[0]`.
 * @throws {ConfigurationError} It is none. The message holds nothing of it.
 */
export function readSealKey(value: unknown, name: string): SealKey {
  if (isCryptoKey(value)) return ofCryptoKey(value, name)
  const bytes = typeof value === 'string' ? fromBase64(value, name) : value
  if (!(bytes instanceof Uint8Array)) {
    throw new ConfigurationError(
      `${name} must be ${KEY} bytes, those bytes in base64, or a CryptoKey for HMAC with SHA-256. ${ADVICE}`,
    )
  }
  if (bytes.length !== KEY) {
    throw new ConfigurationError(
      `${name} has ${bytes.length} bytes, and needs ${KEY}: a random key, not a password. ${ADVICE}`,
    )
  }
  if (new Set(bytes).size < 8) {
    throw new ConfigurationError(`${name} is not random. ${ADVICE}`)
  }
  const secret = crypto.createSecretKey(bytes)
  return new SealKey((message) => crypto.createHmac('sha256', secret).update(message).digest())
}

const ADVICE = 'Make one with: openssl rand -base64 32'

function fromBase64(text: string, name: string): Uint8Array {
  const isBase64 = /^[A-Za-z0-9+/_-]+={0,2}$/.test(text.trim())
  if (isBase64) return Buffer.from(text.trim(), 'base64')
  throw new ConfigurationError(`${name} is a text that is not base64. ${ADVICE}`)
}

function isCryptoKey(value: unknown): value is crypto.webcrypto.CryptoKey {
  return Object.prototype.toString.call(value) === '[object CryptoKey]'
}

/** With a key that cannot be extracted, the process never holds the one that all others come from. */
function ofCryptoKey(key: crypto.webcrypto.CryptoKey, name: string): SealKey {
  const { name: algorithm, hash } = key.algorithm as { name: string; hash?: { name: string } }
  if (algorithm !== 'HMAC' || hash?.name !== 'SHA-256' || !key.usages.includes('sign')) {
    throw new ConfigurationError(
      `${name} is a CryptoKey for another use. Import it with { name: 'HMAC', hash: 'SHA-256' } and ['sign']: the AES keys of sessions are derived from it.`,
    )
  }
  return new SealKey(async (message) => {
    const digest = await crypto.subtle.sign('HMAC', key, Buffer.from(message))
    return Buffer.from(digest)
  })
}
