import { SessionGoneError } from '../errors.ts'
import { ChangeSet } from './change-set.ts'
import type { EntryValue } from './entry-value.ts'

/**
 * What one request has changed and its store does not have yet: the changes collected since the last
 * save, on top of those that are being saved at this moment.
 *
 * A handler need not wait for its save, so what is under way still counts as changed.
 */
export class PendingChanges {
  #collected: ChangeSet = new ChangeSet()
  #underWay: ChangeSet | null = null

  /** The changes of the next save. */
  get collected(): ChangeSet {
    return this.#collected
  }

  /** Whether the key, or the session as a whole, changes. */
  concerns(key: string): boolean {
    return this.#layers().some((layer) => layer.end !== 'no' || layer.pending(key) !== undefined)
  }

  /** What a key holds with all changes applied to what is stored; undefined when it holds nothing. */
  entry(key: string, stored: EntryValue | undefined): EntryValue | undefined {
    for (const layer of this.#layers()) {
      const pending = layer.pending(key)
      if (pending !== undefined) return pending ?? undefined
      if (layer.end !== 'no') return undefined
    }
    return stored
  }

  /** The keys there are with all changes applied to those that are stored. */
  keys(stored: Iterable<string>): string[] {
    const keys = new Set(stored)
    for (const layer of this.#layers().reverse()) {
      if (layer.end !== 'no') keys.clear()
      for (const [key, entry] of layer.entries()) {
        if (entry === null) keys.delete(key)
        else keys.add(key)
      }
    }
    return [...keys]
  }

  /** Hands over the collected changes to a save, which ends in `saved` or `failed`. */
  beginSave(): ChangeSet {
    const changes = this.#collected
    this.#collected = new ChangeSet()
    this.#underWay = changes
    return changes
  }

  saved(): void {
    this.#underWay = null
  }

  /** Collects the changes of a failed save again, unless a further try is of no use. */
  failed(changes: ChangeSet, error: unknown): void {
    // What is gone takes no further change, and what was discarded meanwhile is not retried.
    const isOver = error instanceof SessionGoneError || this.#underWay !== changes
    if (!isOver) this.#collected = changes.followedBy(this.#collected)
    this.#underWay = null
  }

  /** Forgets everything. What is under way may still be saved, but is not tried again. */
  discard(): void {
    this.#collected = new ChangeSet()
    this.#underWay = null
  }

  /** The newest first. */
  #layers(): ChangeSet[] {
    return this.#underWay === null ? [this.#collected] : [this.#collected, this.#underWay]
  }
}
