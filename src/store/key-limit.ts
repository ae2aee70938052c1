import { LimitExceededError } from '../errors.ts'

/**
 * Bytes that a key may take: what fits, beside the session's id, into an entry of PostgreSQL's primary key
 * index on pages of 8 kB. Every store has the same limit, so that a test on `MemoryStore` finds it.
 */
export const MOST_KEY_BYTES = 2676

/**
 * @param name - The key as a message shows it.
 * @throws {LimitExceededError} If the key is too long to be stored.
 */
export function checkKeySize(name: string, key: Uint8Array): void {
  if (key.length <= MOST_KEY_BYTES) return
  throw new LimitExceededError(
    `The key ${name} takes ${key.length} bytes; a key may take ${MOST_KEY_BYTES}. Use a short key, such as a hash of the long one, or keep the data under one key.`,
  )
}
