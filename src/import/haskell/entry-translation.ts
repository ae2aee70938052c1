import type { Codec } from '../../codec/codec.ts'
import { isSessionError } from '../../errors.ts'
import type { Cereal } from '../../haskell/cereal/cereal.ts'
import type {
  Entry,
  EntryUpdate,
  LoadResult,
  NewSession,
  SessionChange,
} from '../../store/session-store.ts'
import type { MapSession } from './wai-mapping.ts'

/** What a translation needs to know. */
export interface EntryTranslationOptions {
  /** The codec of the sessions. */
  readonly codec: Codec
  /** The types of keys and values on the Haskell side. */
  readonly key: Cereal<unknown>
  readonly value: Cereal<unknown>
  /** Reads entries of the Haskell side. */
  readonly map: MapSession
}

/** Turns entries from the codec of the sessions into Haskell's types and back. */
export class EntryTranslation {
  readonly #options: EntryTranslationOptions

  constructor(options: EntryTranslationOptions) {
    this.#options = options
  }

  /** A session as it was loaded there, with entries of our codec. */
  loaded(result: LoadResult): LoadResult {
    if (result.status !== 'live') return result
    const { record } = result
    const mapped = this.#options.map(record.entries, record)
    if ('problem' in mapped) return { status: 'unknown', problem: mapped.problem }
    const { entries, undecodable } = mapped
    // As if it were new, so that it is never renewed: a key has no grace there.
    return {
      status: 'live',
      record: { ...record, entries, tokenIssuedAt: record.now },
      undecodable,
    }
  }

  /** @throws {InvalidValueError} If a key or value is not of the Haskell side's types. */
  newSession(session: NewSession): NewSession {
    const entries = session.entries.map((entry) => this.#entryFor(entry))
    return { ...session, entries, absolute: Number.POSITIVE_INFINITY }
  }

  /** @throws {InvalidValueError} If a key or value is not of the Haskell side's types. */
  change(change: SessionChange): SessionChange {
    return {
      ...change,
      written: change.written.map((entry) => this.#entryFor(entry)),
      deleted: change.deleted.map((key) => this.keyFor(key)),
    }
  }

  /** @throws {InvalidValueError} If a key or value is not of the Haskell side's types. */
  update(update: EntryUpdate): EntryUpdate {
    const { key, expected, value } = update
    return {
      ...update,
      key: this.keyFor(key),
      expected: expected && this.#valueFor(expected),
      value: value && this.#valueFor(value),
    }
  }

  keyFor(key: Uint8Array): Uint8Array {
    const { codec, key: type } = this.#options
    return type.encode(codec.decodeKey(key), 'A key')
  }

  /** A value of theirs in our codec; null when there is none, or it is of another type. */
  valueFrom(bytes: Uint8Array | null): Uint8Array | null {
    const { codec, value: type } = this.#options
    if (bytes === null) return null
    try {
      return codec.encode(type.decode(bytes), 'value')
    } catch (error) {
      if (isSessionError(error)) return null
      throw error
    }
  }

  #entryFor({ key, value }: Entry): Entry {
    return { key: this.keyFor(key), value: this.#valueFor(value) }
  }

  #valueFor(bytes: Uint8Array): Uint8Array {
    const { codec, value: type } = this.#options
    return type.encode(codec.decode(bytes), 'value')
  }
}
