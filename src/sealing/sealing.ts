import { ConfigurationError, isSessionError, StoreUnavailableError } from '../errors.ts'
import { assertBytes } from '../store/assert-bytes.ts'
import type { Deadline } from '../store/deadline.ts'
import { MARK_SIZE, marked, sealedPart } from '../store/sealed-value.ts'
import type { Entry } from '../store/session-store.ts'
import { all, andThen, type MaybePromise, pending } from './maybe-promise.ts'
import type { SealOptions } from './seal-settings.ts'
import { placeOf, type Sealer, type SealFailure } from './sealer.ts'

/** Why a stored value counts as absent. */
type UnsealFailure =
  | SealFailure
  /** It is not sealed, and `acceptUnsealedUntil` has passed or was not set. */
  | 'notSealed'

/** Told of a value that counts as absent. */
export type OnUnsealFailure = (sessionId: string, key: Uint8Array, reason: UnsealFailure) => void

/** A value as it is read, or why it is not. */
type Opened = Uint8Array | UnsealFailure

/** Turns the values of sessions into what is stored of them, and back. */
export class Sealing {
  /** How many bytes a stored value is longer. */
  readonly overhead: number
  readonly #sealer: Sealer
  readonly #options: SealOptions
  readonly #onFailure: OnUnsealFailure
  /** The stored form of values that this process has read or written. Sealing again would give another. */
  readonly #stored = new WeakMap<Uint8Array, Uint8Array>()

  constructor(options: SealOptions, onFailure: OnUnsealFailure) {
    this.#options = options
    this.#sealer = options.sealer
    this.#onFailure = onFailure
    this.overhead = MARK_SIZE + (options.sealer.overhead ?? 0)
  }

  /** Whether values that are not sealed count. */
  get acceptsUnsealed(): boolean {
    return Date.now() < this.#options.acceptUnsealedUntil
  }

  /** Whether new values are sealed, as yet. */
  get isSealing(): boolean {
    return Date.now() >= this.#options.sealFrom
  }

  /** Gives what is to be stored of a value. @throws {StoreUnavailableError} The sealer failed, or took too long. */
  async seal(
    sessionId: string,
    key: Uint8Array,
    value: Uint8Array,
    deadline?: Deadline,
  ): Promise<Uint8Array> {
    return this.#ask('encrypt', deadline, () => this.#seal(sessionId, { key, value }))
  }

  /** The same of all values of a session. */
  async sealAll(
    sessionId: string,
    entries: readonly Entry[],
    deadline?: Deadline,
  ): Promise<readonly Entry[]> {
    const seal = (entry: Entry): MaybePromise<Entry> =>
      andThen(this.#seal(sessionId, entry), (value) => ({ key: entry.key, value }))
    return this.#ask('encrypt', deadline, () => all(entries.map(seal)))
  }

  /** Gives the value that is stored; null, and an event, if it counts as absent. */
  async open(
    sessionId: string,
    key: Uint8Array,
    stored: Uint8Array,
    deadline?: Deadline,
  ): Promise<Uint8Array | null> {
    const opened = await this.#ask('decrypt', deadline, () =>
      this.#open(sessionId, { key, value: stored }),
    )
    return this.#reported(sessionId, key, opened)
  }

  /** The same of all values of a session. Those that count as absent are left out. */
  async openAll(
    sessionId: string,
    entries: readonly Entry[],
    deadline?: Deadline,
  ): Promise<readonly Entry[]> {
    const opened = await this.#ask('decrypt', deadline, () =>
      all(entries.map((entry) => this.#open(sessionId, entry))),
    )
    return entries.flatMap(({ key }, n) => {
      const value = this.#reported(sessionId, key, opened[n] as Opened)
      return value === null ? [] : [{ key, value }]
    })
  }

  /** What is stored of a value that this process has read or written; undefined for any other. */
  storedForm(value: Uint8Array): Uint8Array | undefined {
    return this.#stored.get(value)
  }

  /** Whether a stored value is sealed with the key that seals now. */
  async isCurrent(stored: Uint8Array, deadline?: Deadline): Promise<boolean> {
    const sealed = sealedPart(stored)
    if (sealed === null) return false
    return this.#ask('look at', deadline, () => this.#sealer.isCurrent?.(sealed) ?? false)
  }

  #seal(sessionId: string, { key, value }: Entry): MaybePromise<Uint8Array> {
    if (!this.isSealing) return value
    assertBytes(key)
    assertBytes(value)
    return andThen(this.#sealer.seal(value, placeOf(sessionId, key)), (sealed) => {
      const stored = marked(checked(sealed, `${this.#sealer.name}.seal`, 'a Uint8Array'))
      this.#stored.set(value, stored)
      return stored
    })
  }

  #open(sessionId: string, { key, value: stored }: Entry): MaybePromise<Opened> {
    const sealed = sealedPart(stored)
    if (sealed === null) return this.acceptsUnsealed ? stored : 'notSealed'
    return andThen(this.#sealer.open(sealed, placeOf(sessionId, key)), (opened) => {
      if (isFailure(opened)) return opened
      const expected = "a Uint8Array, 'unknownKey' or 'notAuthentic'"
      this.#stored.set(checked(opened, `${this.#sealer.name}.open`, expected), stored)
      return opened
    })
  }

  #reported(sessionId: string, key: Uint8Array, opened: Opened): Uint8Array | null {
    if (typeof opened !== 'string') return opened
    this.#onFailure(sessionId, key, opened)
    return null
  }

  async #ask<Result>(
    what: string,
    deadline: Deadline | undefined,
    work: () => MaybePromise<Result>,
  ): Promise<Result> {
    const { name } = this.#sealer
    try {
      const made = work()
      const result = pending(made)
      if (result === null) return made
      const late = (): Error =>
        new StoreUnavailableError(
          `The sealer '${name}' did not answer in time, so no value could be read or written. Is its key service reachable?`,
          'none',
        )
      return await (deadline?.race(result, late) ?? result)
    } catch (error) {
      if (isSessionError(error)) throw error
      throw new StoreUnavailableError(
        `The sealer '${name}' could not ${what} a value; its error is the cause.`,
        'none',
        { cause: error },
      )
    }
  }
}

function isFailure(opened: unknown): opened is SealFailure {
  return opened === 'unknownKey' || opened === 'notAuthentic'
}

/** Anything else would be taken for a value, or for none. @throws {ConfigurationError} Shows nothing of it. */
function checked(given: unknown, method: string, expected: string): Uint8Array {
  const kind = Object.prototype.toString.call(given).slice(8, -1)
  // One from another realm, such as the environment of a test runner, has another class.
  if (kind === 'Uint8Array') return given as Uint8Array
  const advice = kind === 'ArrayBuffer' ? ' Write new Uint8Array(buffer).' : ''
  throw new ConfigurationError(
    `The sealer's method ${method} must give ${expected}, and gave ${named(kind)}.${advice}`,
  )
}

function named(kind: string): string {
  if (kind === 'Undefined' || kind === 'Null') return kind.toLowerCase()
  return `${/^[AEIO]/.test(kind) ? 'an' : 'a'} ${kind}`
}
