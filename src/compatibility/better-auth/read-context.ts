import { AsyncLocalStorage } from 'node:async_hooks'

/** How many reads of one request are remembered. */
const KEPT = 64

/** What a call has read under a key. Undefined until the answer is there; null for nothing. */
export interface Read {
  text?: string | null
}

/**
 * Remembers what each request has read.
 *
 * better-auth tells a storage neither whether a session is new nor what it has changed in one: it reads, and then
 * writes the whole. What the same request has read before tells both, and follows it through its `await`s.
 */
export class ReadContext {
  readonly #reads = new AsyncLocalStorage<ReadonlyMap<string, Read>>()

  /**
   * Notes a read that begins, for what its caller does next. To be called while the caller still runs, before
   * anything is awaited.
   */
  begin(id: string): Read {
    const read: Read = {}
    const reads = new Map(this.#reads.getStore())
    reads.delete(id)
    reads.set(id, read)
    const [oldest = ''] = reads.keys()
    if (reads.size > KEPT) reads.delete(oldest)
    this.#enter(reads)
    return read
  }

  /** What this request has read last under a key; undefined if nothing was. */
  of(id: string): string | undefined {
    return this.#reads.getStore()?.get(id)?.text ?? undefined
  }

  /** Some runtimes, such as Cloudflare's, have no `enterWith`: a write then replaces the whole value. */
  #enter(reads: ReadonlyMap<string, Read>): void {
    try {
      this.#reads.enterWith(reads)
    } catch {
      // As described.
    }
  }
}
