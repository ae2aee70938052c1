import type { Codec } from '../codec/codec.ts'
import { rootPath } from '../codec/value-path.ts'
import { InvalidValueError } from '../errors.ts'
import type { Logger } from './logger.ts'

/** Enough to tell of the mistake, and not so much that keys made of data fill the memory. */
const MOST_KEYS = 100

/**
 * Notices functions for `session.update` that change a value in place and do not return it, since nothing returned
 * removes the key. It compares encodings, so it is for development.
 */
export class ForgottenReturns {
  readonly #codec: Codec
  readonly #log: Logger
  readonly #told = new Set<string>()

  constructor(codec: Codec, log: Logger) {
    this.#codec = codec
    this.#log = log
  }

  /**
   * Remembers a value that is about to be given to such a function, undefined for none.
   *
   * @returns What to call when it has returned nothing. It throws an {@link InvalidValueError} if the function has changed
   *   the value, and warns once of each key for which there was none.
   */
  watch(key: string, value: unknown): () => void {
    if (value === undefined) return () => this.#warn(key)
    if (typeof value !== 'object' || value === null) return () => {}
    const before = this.#encoded(key, value)
    return () => {
      if (this.#encoded(key, value) === before) return
      throw new InvalidValueError(
        rootPath(key),
        'was changed by the function given to session.update, which did not return it, so it would have been removed. Return the new value.',
      )
    }
  }

  #warn(key: string): void {
    if (this.#told.has(key) || this.#told.size === MOST_KEYS) return
    this.#told.add(key)
    this.#log.warn(
      { key },
      'session.update stored nothing, since its function returned undefined for a key without a value; if it makes one, return it',
    )
  }

  /** Null once the codec can't encode it any more. */
  #encoded(key: string, value: unknown): string | null {
    try {
      return Buffer.from(this.#codec.encode(value, rootPath(key))).toString('base64')
    } catch {
      return null
    }
  }
}
