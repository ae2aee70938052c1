import { SessionsClosedError } from '../errors.ts'
import { MemoryRecord } from './memory-record.ts'
import type { NewSession, OnHint, Precondition } from './session-store.ts'

/** The sessions of a memory store, and who hears of their ends. */
export class MemoryRecords {
  readonly listeners: Set<OnHint> = new Set()
  readonly #records = new Map<string, MemoryRecord>()
  readonly #now: () => number
  #isClosed = false

  constructor(now: () => number) {
    this.#now = now
  }

  get size(): number {
    return this.#records.size
  }

  /**
   * Begins a call: the one look at the clock that it takes, so that it judges all deadlines alike.
   *
   * @throws {SessionsClosedError} After `close()`.
   */
  begin(): number {
    if (this.#isClosed) throw new SessionsClosedError()
    return this.#now()
  }

  get(id: string): MemoryRecord | undefined {
    return this.#records.get(id)
  }

  /** The live session that a precondition holds for. */
  find(guard: Precondition, now: number): MemoryRecord | undefined {
    const record = this.#records.get(guard.id)
    if (!record?.isLive(now) || record.userId !== guard.userId) return undefined
    return guard.version === undefined || guard.version === record.version ? record : undefined
  }

  where(condition: (record: MemoryRecord) => boolean): MemoryRecord[] {
    return [...this.#records.values()].filter(condition)
  }

  add(session: NewSession, now: number): MemoryRecord {
    const record = new MemoryRecord(session, now)
    this.#records.set(record.id, record)
    return record
  }

  remove(id: string, why?: 'evicted'): void {
    this.#records.delete(id)
    this.hint(id, why)
  }

  /** Tells listeners after the current step, so that a reader then finds what it has done. */
  hint(id: string, why?: 'evicted'): void {
    for (const listener of this.listeners) queueMicrotask(() => listener(id, why))
  }

  close(): void {
    this.#isClosed = true
    this.#records.clear()
  }
}
