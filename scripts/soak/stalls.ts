/** Milliseconds between two looks at the clock. */
const RHYTHM = 10

/** Remembers when this process stood still: paused, or starved by others on a busy machine. */
export class Stalls {
  #last = performance.now()
  readonly #seen: { readonly at: number; readonly length: number }[] = []
  readonly #timer = setInterval(() => this.#look(), RHYTHM)

  /** Milliseconds that the process stood still since then. */
  since(start: number): number {
    this.#look()
    return this.#seen.reduce((sum, { at, length }) => (at > start ? sum + length : sum), 0)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const now = performance.now()
    const length = now - this.#last - RHYTHM
    this.#last = now
    if (length <= RHYTHM) return
    this.#seen.push({ at: now, length })
    if (this.#seen.length > 2000) this.#seen.splice(0, 1000)
  }
}
