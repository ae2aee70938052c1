/** Milliseconds between two lines of progress. */
const PAUSE = 1000

/** Tells on stderr, once a second, how long work gets on and how long the rest takes. */
export class ProgressMeter {
  readonly #startedAt = performance.now()
  #toldAt = this.#startedAt

  /** Since the start, to the millisecond. */
  get seconds(): number {
    return Number(((performance.now() - this.#startedAt) / 1000).toFixed(3))
  }

  /**
   * Writes a line, unless the last one is less than a second old.
   *
   * @param done - What was done: `removed 12000`.
   * @param progress - How much of how much; the total may be an estimate.
   */
  tell(done: string, { seen, total }: { readonly seen: number; readonly total: number }): void {
    const now = performance.now()
    if (now - this.#toldAt < PAUSE) return
    this.#toldAt = now
    const rate = seen / Math.max(this.seconds, 0.001)
    const left = Math.max(total - seen, 0)
    const rest = left === 0 ? 'almost done' : `about ${duration(Math.ceil(left / rate))} to go`
    process.stderr.write(`${done}, ${left} left, ${Math.round(rate)} a second, ${rest}\n`)
  }
}

/** `90` is `1 min 30 s`. */
function duration(seconds: number): string {
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`
}
