import { decrypt, encrypt, SEAL_SIZE } from '../cryptography/aes-gcm.ts'
import { all, andThen, type MaybePromise } from './maybe-promise.ts'
import { KEY_ID, type SealKey } from './seal-key.ts'
import type { SealedPlace, Sealer, SealFailure } from './sealer.ts'

const OVERHEAD = KEY_ID + SEAL_SIZE

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
      andThen(key.ofSession(place.sessionId), (secret) =>
        Buffer.concat([id, encrypt(value, secret, place.context)]),
      ),
    )
  }

  open(sealed: Uint8Array, place: SealedPlace): MaybePromise<Uint8Array | SealFailure> {
    if (sealed.length < OVERHEAD) return 'notAuthentic'
    return andThen(this.#keyOf(sealed), (key) => {
      if (key === undefined) return 'unknownKey'
      return andThen(
        key.ofSession(place.sessionId),
        (secret) => decrypt(sealed.subarray(KEY_ID), secret, place.context) ?? 'notAuthentic',
      )
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
