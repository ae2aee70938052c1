import type { ImportProgress } from '../../import/import-sessions.ts'

/** Milliseconds between two lines of progress. */
const PAUSE = 1000

/** Tells how an import gets on, and can stop it. */
export class ImportMeter {
  readonly #startedAt = performance.now()
  readonly #stopping = new AbortController()
  #toldAt = this.#startedAt

  get signal(): AbortSignal {
    return this.#stopping.signal
  }

  stop(): void {
    this.#stopping.abort()
  }

  get seconds(): number {
    return Number(((performance.now() - this.#startedAt) / 1000).toFixed(3))
  }

  readonly onProgress = ({ moved, seen, total }: ImportProgress): void => {
    const now = performance.now()
    if (now - this.#toldAt < PAUSE && seen < total) return
    this.#toldAt = now
    const rate = seen / Math.max(this.seconds, 0.001)
    const rest = Math.ceil(Math.max(total - seen, 0) / rate)
    process.stderr.write(
      `moved ${moved}, looked at ${seen} of ${total}, ${Math.round(rate)} a second, about ${rest} s to go\n`,
    )
  }
}
