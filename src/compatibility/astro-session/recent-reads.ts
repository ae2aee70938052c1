import type { HeldSession } from '../by-sid/held-session.ts'

/** How many reads are remembered, of all requests together. */
const KEPT = 4096

/**
 * What requests have read, for when they store it again.
 *
 * Astro names no request to a driver. So a mark travels with what was read. None comes back where a request
 * has set or deleted all that it had read: then the keys count that anybody has read last, in this process.
 */
export class RecentReads {
  readonly #byMark = new Map<string, HeldSession>()
  readonly #lastKeys = new Map<string, ReadonlySet<string>>()
  #count = 0

  /** Remembers a read, and gives its mark. */
  keep(held: HeldSession): string {
    const { id } = held.identity
    this.#count += 1
    const mark = `${id}/${this.#count}`
    keepSome(this.#byMark, mark, held)
    keepSome(this.#lastKeys, id, new Set(held.texts.keys()))
    return mark
  }

  /** What the request has read that this mark was given to. Null when that is too long ago. */
  of(mark: string): HeldSession | null {
    return this.#byMark.get(mark) ?? null
  }

  /** The keys of a session that were read last. Null if none were, or too long ago. */
  lastKeys(id: string): ReadonlySet<string> | null {
    return this.#lastKeys.get(id) ?? null
  }
}

/** Whether a mark is of that session, rather than of one that goes on under a new id. */
export function isMarkOf(id: string, mark: string | null): mark is string {
  return mark?.startsWith(`${id}/`) ?? false
}

function keepSome<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key)
  map.set(key, value)
  if (map.size <= KEPT) return
  const [oldest = ''] = map.keys()
  map.delete(oldest)
}
