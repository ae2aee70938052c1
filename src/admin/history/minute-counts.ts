const MINUTE = 60_000

/** Minutes that are kept. */
const KEPT = 60

/** Counts by the minute, for the last hour. */
export class MinuteCounts {
  readonly #counts = new Map<number, number>()

  add(now: number): void {
    const minute = Math.floor(now / MINUTE)
    this.#counts.set(minute, (this.#counts.get(minute) ?? 0) + 1)
    if (this.#counts.size > KEPT) this.#forget(minute - KEPT)
  }

  /** One count for each minute of the last hour, the earliest first. */
  lastHour(now: number): readonly number[] {
    const last = Math.floor(now / MINUTE)
    return Array.from(
      { length: KEPT },
      (_, index) => this.#counts.get(last - KEPT + 1 + index) ?? 0,
    )
  }

  #forget(until: number): void {
    for (const minute of this.#counts.keys()) if (minute <= until) this.#counts.delete(minute)
  }
}
