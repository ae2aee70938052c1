import * as crypto from 'node:crypto'
import { all, andThen, type MaybePromise } from './maybe-promise.ts'
import { KEY_ID, type SealKey } from './seal-key.ts'
import type { SealedPlace, Sealer, SealFailure } from './sealer.ts'

const NONCE = 12
const TAG = 16
const OVERHEAD = KEY_ID + NONCE + TAG

/**
 * Seals values with AES-256-GCM: key id, nonce, ciphertext, tag.
 *
 * By `node:crypto`, which Bun, Deno and workerd have too: it answers at once, while each call of WebCrypto costs a
 * trip through the event loop, which is several times what decrypting a small value does.
 *
 * @see NIST SP 800-38D.
 */
export class AesSealer implements Sealer {
  readonly name = 'aes-256-gcm'
  readonly overhead: number = OVERHEAD
  readonly #keys: readonly SealKey[]

  /** @param keys - The current one first. */
  constructor(keys: readonly [SealKey, ...SealKey[]]) {
    this.#keys = keys
  }

  seal(value: Uint8Array, place: SealedPlace): MaybePromise<Uint8Array> {
    const key = this.#keys[0] as SealKey
    return andThen(key.id, (id) =>
      andThen(key.ofSession(place.sessionId), (secret) => encrypt(value, id, secret, place)),
    )
  }

  open(sealed: Uint8Array, place: SealedPlace): MaybePromise<Uint8Array | SealFailure> {
    if (sealed.length < OVERHEAD) return 'notAuthentic'
    return andThen(this.#keyOf(sealed), (key) => {
      if (key === undefined) return 'unknownKey'
      return andThen(key.ofSession(place.sessionId), (secret) => decrypt(sealed, secret, place))
    })
  }

  isCurrent(sealed: Uint8Array): MaybePromise<boolean> {
    return andThen(this.#keyOf(sealed), (key) => key === this.#keys[0])
  }

  #keyOf(sealed: Uint8Array): MaybePromise<SealKey | undefined> {
    const id = sealed.subarray(0, KEY_ID)
    return andThen(all(this.#keys.map((key) => key.id)), (ids) => {
      return this.#keys[ids.findIndex((other) => Buffer.compare(other, id) === 0)]
    })
  }
}

function encrypt(
  value: Uint8Array,
  id: Uint8Array,
  secret: Uint8Array,
  { context }: SealedPlace,
): Uint8Array {
  const nonce = crypto.randomBytes(NONCE)
  const cipher = crypto.createCipheriv('aes-256-gcm', secret, nonce).setAAD(context)
  const head = Buffer.concat([id, nonce])
  const ciphertext = [cipher.update(value), cipher.final()]
  return Buffer.concat([head, ...ciphertext, cipher.getAuthTag()])
}

function decrypt(
  sealed: Uint8Array,
  secret: Uint8Array,
  { context }: SealedPlace,
): Uint8Array | SealFailure {
  const nonce = sealed.subarray(KEY_ID, KEY_ID + NONCE)
  const decipher = crypto
    .createDecipheriv('aes-256-gcm', secret, nonce, { authTagLength: TAG })
    .setAAD(context)
    .setAuthTag(sealed.subarray(sealed.length - TAG))
  const value = decipher.update(sealed.subarray(KEY_ID + NONCE, sealed.length - TAG))
  try {
    decipher.final()
    return value
  } catch {
    return 'notAuthentic'
  }
}
