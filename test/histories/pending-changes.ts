import type { Pending } from './request-notes.ts'

/** What a request has changed and not saved yet. */
export class PendingChanges {
  #written = new Map<string, string>()
  #deleted = new Set<string>()
  #change: Pending['change'] = null
  #ending: Pending['ending'] = null

  get areThere(): boolean {
    const { size } = this.#written
    return size + this.#deleted.size > 0 || this.#change !== null || this.#ending !== null
  }

  get endsSession(): boolean {
    return this.#ending !== null
  }

  set(key: string, value: string): void {
    this.#deleted.delete(key)
    this.#written.set(key, value)
  }

  delete(key: string): void {
    this.#written.delete(key)
    this.#deleted.add(key)
  }

  rotate(): void {
    this.#change ??= 'rotate'
  }

  setLifetime(): void {
    this.#change = 'lifetime'
  }

  /** An end drops the changes before it. */
  end(how: 'clear' | 'destroy'): void {
    this.take()
    this.#ending = how
  }

  /** Gives all changes, and forgets them. */
  take(): Pending {
    const pending = {
      written: this.#written,
      deleted: [...this.#deleted],
      change: this.#change,
      ending: this.#ending,
    }
    this.#written = new Map()
    this.#deleted = new Set()
    this.#change = null
    this.#ending = null
    return pending
  }
}
