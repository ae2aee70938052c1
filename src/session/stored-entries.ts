import { LimitExceededError } from '../errors.ts'
import type { ChangeSet } from './change-set.ts'
import type { EntryValue } from './entry-value.ts'
import type { SessionLimits } from './settings.ts'

/** The entries that the store is known to hold for a session, and how much they weigh. */
export class StoredEntries {
  readonly #values = new Map<string, EntryValue>()
  #size = 0
  #omitted = 0

  /** Whether the store has values that this request does not. */
  get hasOmitted(): boolean {
    return this.#omitted > 0
  }

  get(key: string): EntryValue | undefined {
    return this.#values.get(key)
  }

  has(key: string): boolean {
    return this.#values.has(key)
  }

  all(): IterableIterator<[string, EntryValue]> {
    return this.#values.entries()
  }

  keys(): IterableIterator<string> {
    return this.#values.keys()
  }

  /** Notes what a key holds now; null for nothing. */
  keep(key: string, value: EntryValue | null): void {
    const before = this.#values.get(key)
    this.#size += (value?.size ?? 0) - (before?.size ?? 0)
    this.#omitted += (value?.isOmitted ? 1 : 0) - (before?.isOmitted ? 1 : 0)
    if (value === null) this.#values.delete(key)
    else this.#values.set(key, value)
  }

  keepAll(changes: ChangeSet): void {
    for (const [key, value] of changes.entries()) this.keep(key, value)
  }

  /**
   * Checks what the session would hold after these changes. Changes that make it smaller are always
   * allowed, so that a session over a limit that was lowered can be tidied up.
   *
   * @throws {LimitExceededError} It would be too much.
   */
  checkLimits(changes: ChangeSet, limits: Required<SessionLimits>): void {
    let size = this.#size
    let count = this.#values.size
    for (const [key, value] of changes.entries()) {
      const before = this.#values.get(key)
      size += (value?.size ?? 0) - (before?.size ?? 0)
      count += (value === null ? 0 : 1) - (before === undefined ? 0 : 1)
    }
    if (size > limits.sessionBytes && size > this.#size) {
      throw new LimitExceededError(
        `The session would hold ${size} bytes; limits.sessionBytes allows ${limits.sessionBytes}. Nothing was saved.`,
      )
    }
    if (count > limits.keys && count > this.#values.size) {
      throw new LimitExceededError(
        `The session would hold ${count} keys; limits.keys allows ${limits.keys}. Nothing was saved.`,
      )
    }
  }
}
