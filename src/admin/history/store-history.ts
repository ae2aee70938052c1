import { realTime } from '../../real-time.ts'
import type { StoreFigures, StoreInspector } from '../../store/session-store.ts'

/** How many sessions there were at a time. */
export interface Moment {
  readonly at: number
  readonly live: number | null
  readonly backlog: number
}

/** Moments that are kept: a day of one each five minutes. */
const KEPT = 288

/** A view adds no moment that soon after the last. */
const LEAST_GAP = 60_000

/** Notes the figures of a store now and then, for plots. A failure leaves a gap. */
export class StoreHistory {
  readonly moments: Moment[] = []
  readonly #inspector: StoreInspector
  #timer: NodeJS.Timeout | undefined

  constructor(inspector: StoreInspector) {
    this.#inspector = inspector
  }

  /** Reads the figures of now, and notes them. */
  async read(): Promise<StoreFigures> {
    const figures = await this.#inspector.figures()
    this.#note(figures)
    return figures
  }

  /** Notes them again and again. It keeps no process alive. */
  start(interval: number): void {
    if (!Number.isFinite(interval)) return
    const turn = (): void => {
      this.read().catch(() => undefined)
    }
    this.#timer = realTime.setInterval(turn, Math.min(interval, 2 ** 31 - 1))
    this.#timer.unref?.()
  }

  stop(): void {
    realTime.clearInterval(this.#timer)
  }

  #note({ sessions, purge }: StoreFigures): void {
    const at = Date.now()
    const last = this.moments.at(-1)
    if (last !== undefined && at - last.at < LEAST_GAP) this.moments.pop()
    this.moments.push({ at, live: sessions?.live ?? null, backlog: purge.backlog })
    if (this.moments.length > KEPT) this.moments.shift()
  }
}
