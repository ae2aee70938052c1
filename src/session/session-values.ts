import { notAString } from '../codec/utf8.ts'
import { UndecodableError } from '../errors.ts'
import { sealedPart } from '../store/sealed-value.ts'
import type { CurrentSession } from './current-session.ts'
import type { EntryValue, ValueUse } from './entry-value.ts'
import { reportUndecodable, StillSealed } from './load-session.ts'
import type { PendingChanges } from './pending-changes.ts'
import type { SessionLoader } from './session-loader.ts'

/** What a session's keys hold for one request: what is stored, with the request's pending changes applied. */
export class SessionValues {
  readonly #current: CurrentSession
  readonly #pending: PendingChanges
  readonly #loader: SessionLoader

  constructor(current: CurrentSession, pending: PendingChanges, loader: SessionLoader) {
    this.#current = current
    this.#pending = pending
    this.#loader = loader
  }

  /** What a key holds; undefined when it holds nothing. */
  find(key: string): { readonly value: unknown } | undefined {
    return this.#read(key, this.#current.context.freezesValues ? 'frozen' : 'shared')
  }

  /** The same, for the caller to keep. */
  copy(key: string): { readonly value: unknown } | undefined {
    return this.#read(key, 'own')
  }

  /** @throws {InvalidValueError} It is not a string, or the setting `data` has no schema for it. */
  checkKey(key: string): void {
    this.checkType(key)
    this.#current.context.data?.checkKey(key)
  }

  /** For a deletion, which may be of a key that older releases had. @throws {InvalidValueError} It is not a string. */
  checkType(key: string): void {
    if (typeof key !== 'string') throw notAString(key)
  }

  /** Whether a key has a value that decodes, or one that has been left out. */
  has(key: string): boolean {
    return this.#loader.isOmitted(key) || this.find(key) !== undefined
  }

  keys(): string[] {
    return this.#pending.keys(this.#current.snapshot?.entries.keys() ?? [])
  }

  /** A value, or undefined (and, the first time, an event) when its bytes do not decode. */
  decode(
    key: string,
    entry: EntryValue,
    use: ValueUse = 'own',
  ): { readonly value: unknown } | undefined {
    if (entry.isUndecodable) return undefined
    const { context, snapshot } = this.#current
    try {
      const { codec, data } = context
      const read = (bytes: Uint8Array): unknown => {
        if (sealedPart(bytes) !== null) throw new StillSealed()
        return data === null ? codec.decode(bytes) : data.read(key, codec.decode(bytes))
      }
      return { value: entry.decode(read, use) }
    } catch (error) {
      if (!(error instanceof UndecodableError)) throw error
      reportUndecodable(context, snapshot?.id ?? '', key, error)
      return undefined
    }
  }

  #read(key: string, use: ValueUse): { readonly value: unknown } | undefined {
    const { context, snapshot } = this.#current
    // A key of an older release, without a schema now, counts as absent.
    if (context.data?.has(key) === false) return undefined
    const entry = this.#pending.entry(key, snapshot?.entries.get(key))
    return entry && this.decode(key, entry, use)
  }
}
