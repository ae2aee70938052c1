import type { EntryValue } from './entry-value.ts'
import type { LifetimeChange } from './session-lifetime.ts'

/** What a handler has asked for and no store has been told yet. */
export class ChangeSet {
  /** Whether the stored session ends: nothing of it is kept. */
  end: 'no' | 'clear' | 'destroy' = 'no'
  rotate = false
  lifetime: LifetimeChange | null = null
  readonly #entries = new Map<string, EntryValue | null>()

  /** The pending entry of a key; null when it is to be deleted, undefined when it does not change. */
  pending(key: string): EntryValue | null | undefined {
    return this.#entries.get(key)
  }

  /** Keys that change, in the order in which they did. */
  entries(): IterableIterator<[string, EntryValue | null]> {
    return this.#entries.entries()
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0 && !this.rotate && this.end === 'no' && this.lifetime === null
  }

  /** Whether there is something to write, so that a session has to exist. */
  get writes(): boolean {
    for (const entry of this.#entries.values()) if (entry !== null) return true
    return false
  }

  set(key: string, entry: EntryValue): void {
    this.#entries.set(key, entry)
  }

  delete(key: string): void {
    this.#entries.set(key, null)
  }

  /** Forgets deletions of keys that are not there. */
  dropDeletionsOfAbsent(stored: { has(key: string): boolean }): void {
    for (const [key, entry] of this.#entries) {
      if (entry === null && !stored.has(key)) this.#entries.delete(key)
    }
  }

  /** Drops everything so far: what follows is for the session that comes after. */
  endSession(how: 'clear' | 'destroy'): void {
    this.#entries.clear()
    this.rotate = false
    this.lifetime = null
    if (this.end !== 'destroy') this.end = how
  }

  /**
   * What is left of these changes when another user takes the session over: nothing that was meant for
   * the one before. The lifetime is for who signs in, and what follows an end has no owner yet.
   */
  forAnotherUser(): ChangeSet {
    if (this.end !== 'no') return this
    const changes = new ChangeSet()
    changes.end = 'clear'
    changes.lifetime = this.lifetime
    return changes
  }

  /** These changes with later ones on top, for trying again after a save that failed. */
  followedBy(later: ChangeSet): ChangeSet {
    if (later.end !== 'no') {
      if (this.end === 'destroy') later.end = 'destroy'
      return later
    }
    for (const [key, entry] of later.entries()) this.#entries.set(key, entry)
    this.rotate ||= later.rotate
    this.lifetime = later.lifetime ?? this.lifetime
    return this
  }
}
