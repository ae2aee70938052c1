/** Where a sealed value lies. It opens there and nowhere else. */
export interface SealedPlace {
  readonly sessionId: string
  /** The entry's key, as the codec encodes it. */
  readonly key: Uint8Array
  /**
   * The place as bytes that no other place has: additional authenticated data for an AEAD cipher, or the
   * encryption context of a key management service.
   */
  readonly context: Uint8Array
}

/** Why sealed bytes gave no value. */
export type SealFailure =
  /** They were sealed with a key that this process does not have. */
  | 'unknownKey'
  /** They were changed or cut, or come from another session or key. */
  | 'notAuthentic'

/**
 * Encrypts values before they are stored, and decrypts them again, in place of the built-in AES-256-GCM: with keys
 * of a key management service, say.
 *
 * It must bind each value to its place. Both methods may be asynchronous; a call that fails or exceeds the deadline
 * fails the request with a `StoreUnavailableError`, and no session counts as empty for it.
 *
 * @example
 * ```ts
 * import type { Sealer } from 'pg-sessions'
 *
 * const sealer: Sealer = {
 *   name: 'kms',
 *   seal: (value, { context }) => kms.encrypt(value, context),
 *   open: async (sealed, { context }) => (await kms.decrypt(sealed, context)) ?? 'notAuthentic',
 * }
 * const sessions = createSessions({ database, seal: { sealer } })
 * ```
 */
export interface Sealer {
  /** Names it in messages: `kms`. */
  readonly name: string
  /** How many bytes a sealed value is longer, where that is fixed. Defaults to 0; only limits and thresholds use it. */
  readonly overhead?: number
  seal(value: Uint8Array, place: SealedPlace): Uint8Array | Promise<Uint8Array>
  /** Gives the value, or says why there is none. Must not throw for bytes that anyone may have written. */
  open(
    sealed: Uint8Array,
    place: SealedPlace,
  ): Uint8Array | SealFailure | Promise<Uint8Array | SealFailure>
  /** Whether `seal` would use the same key now. Without it, `reseal` seals every value again. */
  isCurrent?(sealed: Uint8Array): boolean | Promise<boolean>
}

const LABEL = Buffer.from('pg-sessions: value\0')

/** The place of a value. A session's id holds no zero byte, so that no two places have one context. */
export function placeOf(sessionId: string, key: Uint8Array): SealedPlace {
  const id = `${sessionId.toLowerCase()}\0`
  return {
    sessionId,
    key,
    get context() {
      return Buffer.concat([LABEL, Buffer.from(id), key])
    },
  }
}
