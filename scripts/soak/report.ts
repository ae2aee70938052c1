import type { Act, Answer, Outcome } from './protocol.ts'
import type { Trail } from './trail.ts'

/** Violations beyond which a soak ends: more of them tell nothing new. */
const MOST_VIOLATIONS = 25

/** Milliseconds by which a call may outlast its deadline: one turn of the event loop, and timers' coarseness. */
const SLACK = 250

/** What led to a violation. */
interface Evidence {
  readonly trail: Trail
  /** The session's id, if it is known. */
  readonly id: string | null
}

/** What a soak has seen. */
export class SoakReport {
  readonly deadline: number
  readonly violations: string[] = []
  readonly #operations = new Map<string, Record<Outcome, number>>()
  readonly #faults = new Map<string, { count: number; recoveries: number[] }>()
  #longest = 0
  #lastFault = 'none'
  readonly #begin = performance.now()
  readonly #look: (id: string | null) => Promise<string>
  readonly #looking: Promise<void>[] = []

  /** @param look - Describes a session as it is in the database, and never rejects. */
  constructor(deadline: number, look: (id: string | null) => Promise<string>) {
    this.deadline = deadline
    this.#look = look
  }

  /** Resolves once everything about the violations has been printed. */
  async complete(): Promise<void> {
    await Promise.all(this.#looking)
  }

  get isHopeless(): boolean {
    return this.violations.length >= MOST_VIOLATIONS
  }

  violation(text: string, evidence?: Evidence): void {
    const line = `${this.#seconds} s: ${text} (last fault: ${this.#lastFault})`
    this.violations.push(line)
    console.log(`VIOLATION ${line}`)
    if (evidence === undefined) return
    const steps = evidence.trail.lines(this.#begin)
    const show = (stored: string): void => {
      console.log([`What led to "${text}":`, ...steps, stored].join('\n  '))
    }
    this.#looking.push(this.#look(evidence.id).then(show))
  }

  count(act: Act, { outcome, longest }: Answer): void {
    const counts = this.#operations.get(act.kind) ?? { done: 0, refused: 0, failed: 0, unknown: 0 }
    counts[outcome] += 1
    this.#operations.set(act.kind, counts)
    this.#longest = Math.max(this.#longest, longest)
    if (longest > this.deadline + SLACK) {
      this.violation(`a call of ${act.kind} took ${Math.round(longest)} ms`)
    }
  }

  /** Notes a fault that is about to strike, for the lines of violations. */
  begins(fault: string): void {
    this.#lastFault = `${fault}, since ${this.#seconds} s`
  }

  /** Notes that a fault is over, and that all processes work again. */
  fault(name: string, recovery: number): void {
    this.#lastFault += ` to ${this.#seconds} s`
    const seen = this.#faults.get(name) ?? { count: 0, recoveries: [] }
    seen.count += 1
    seen.recoveries.push(recovery)
    this.#faults.set(name, seen)
  }

  /** One line, for progress. */
  get summary(): string {
    const { done, unknown } = this.#totals
    const faults = [...this.#faults.values()].reduce((sum, { count }) => sum + count, 0)
    return `${done} operations, ${faults} faults, ${unknown} unknown outcomes, ${this.violations.length} violations`
  }

  toString(): string {
    const operations = [...this.#operations].map(
      ([kind, { done, refused, failed, unknown }]) =>
        `  ${kind.padEnd(10)}${pad(done)} done${pad(refused)} refused${pad(failed)} failed${pad(unknown)} unknown`,
    )
    const faults = [...this.#faults].map(
      ([name, { count, recoveries }]) =>
        `  ${name.padEnd(28)}${pad(count)} times, recovery ${middle(recoveries)} ms, at most ${Math.max(...recoveries)} ms`,
    )
    return [
      'Operations',
      ...operations,
      'Faults, and the time until every process had done a request again',
      ...faults,
      `Longest call ${Math.round(this.#longest)} ms, with a deadline of ${this.deadline} ms`,
      this.summary,
      ...this.violations.map((violation) => `VIOLATION ${violation}`),
    ].join('\n')
  }

  get #seconds(): string {
    return ((performance.now() - this.#begin) / 1000).toFixed(1)
  }

  get #totals(): Record<Outcome, number> {
    const totals = { done: 0, refused: 0, failed: 0, unknown: 0 }
    for (const counts of this.#operations.values()) {
      for (const outcome of Object.keys(totals) as Outcome[]) totals[outcome] += counts[outcome]
    }
    return totals
  }
}

function pad(count: number): string {
  return String(count).padStart(8)
}

function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0
}
