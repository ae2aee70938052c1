import { realTime } from '../../real-time.ts'
import type { SessionEventHub } from '../../session/session-events.ts'
import { type OperationMessage, operationChannel } from '../../telemetry/channels.ts'
import { MinuteCounts } from './minute-counts.ts'

/** Calls of one kind since the page was made. */
export interface OperationFigures {
  readonly operation: string
  readonly calls: number
  readonly failed: number
  /** Milliseconds. */
  readonly mean: number
  readonly longest: number
}

/** A purge of this process. */
export interface PurgeRun {
  readonly at: number
  readonly removed: number
  readonly milliseconds: number
}

/** How many purges are kept. */
const PURGES = 50

interface Tally {
  calls: number
  failed: number
  total: number
  longest: number
}

/**
 * What this process has done with sessions since the page was made: calls by the telemetry channel of operations,
 * sign-ins and purges by events. It keeps counts alone, and no more of them however long the process runs.
 */
export class ProcessHistory {
  readonly startedAt: number = Date.now()
  readonly calls: MinuteCounts = new MinuteCounts()
  readonly signIns: MinuteCounts = new MinuteCounts()
  readonly purges: PurgeRun[] = []
  readonly #tallies = new Map<string, Tally>()
  readonly #starts = new WeakMap<object, number>()
  readonly #ends: (() => void)[]

  constructor(events: SessionEventHub) {
    const { start, asyncEnd } = operationChannel
    const started = (message: unknown): void => {
      this.#starts.set(message as object, realTime.now())
    }
    const ended = (message: unknown): void => this.#noteCall(message as OperationMessage)
    start.subscribe(started)
    asyncEnd.subscribe(ended)
    this.#ends = [
      () => start.unsubscribe(started),
      () => asyncEnd.unsubscribe(ended),
      events.on('signedIn', () => this.signIns.add(Date.now())),
      events.on('purged', ({ removed, milliseconds }) => {
        this.purges.unshift({ at: Date.now(), removed, milliseconds })
        this.purges.length = Math.min(this.purges.length, PURGES)
      }),
    ]
  }

  /** The most frequent first. */
  operations(): readonly OperationFigures[] {
    return [...this.#tallies]
      .map(([operation, { calls, failed, total, longest }]) => ({
        operation,
        calls,
        failed,
        mean: total / calls,
        longest,
      }))
      .sort((a, b) => b.calls - a.calls)
  }

  stop(): void {
    for (const end of this.#ends.splice(0)) end()
  }

  #noteCall(message: OperationMessage): void {
    const start = this.#starts.get(message)
    // Those of this page would be most of what an idle process shows.
    if (start === undefined || message.operation.startsWith('inspect')) return
    const milliseconds = realTime.now() - start
    const tally = this.#tallies.get(message.operation) ?? {
      calls: 0,
      failed: 0,
      total: 0,
      longest: 0,
    }
    this.#tallies.set(message.operation, tally)
    tally.calls += 1
    if (message.error !== undefined) tally.failed += 1
    tally.total += milliseconds
    tally.longest = Math.max(tally.longest, milliseconds)
    this.calls.add(Date.now())
  }
}
