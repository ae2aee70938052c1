import { type Outcome, StoreError } from '../errors.ts'
import type { Deadline } from '../store/deadline.ts'
import type { BatchLimits } from './batch-limits.ts'
import type { Row, Statement } from './driver.ts'
import { type StatementRunner, timedOut } from './statement-runner.ts'

/** An operation that many callers can share one statement for. */
export interface SharedOperation<Call, Answer> {
  /** Whether sending it again is harmless although it may have been applied. */
  readonly repeatable: boolean
  /** The session a call is about. */
  sessionOf(call: Call): string
  /** Whether a statement takes each session once, so that a second call about it waits its turn. */
  readonly isExclusive: boolean
  /** About how many bytes a call carries. */
  sizeOf(call: Call): number
  /** Whether nobody waits for the answer. */
  mayWait?(call: Call): boolean
  /** The statement for a call that goes alone. */
  one(call: Call): Statement
  readOne(rows: readonly Row[], call: Call): Answer
  /** The statement for several calls, in the order of their sessions' ids. */
  many(calls: readonly Call[]): Statement
  /** The answers, in the order of the calls; null for a call that is to be tried alone. */
  readMany(rows: readonly Row[], calls: readonly Call[]): readonly (Answer | null)[]
}

/** Calls of another kind, whose callers, once they are answered, are likely to come here. */
export interface Forerunner {
  /**
   * Calls back once, as soon as a statement has been answered. False, and never, when none is under way or
   * about to leave.
   */
  onceAnswered(listener: () => void): boolean
}

interface Waiting<Call, Answer> {
  readonly call: Call
  readonly deadline: Deadline
  readonly mayWait: boolean
  resolve(answer: Answer): void
  reject(error: unknown): void
}

/**
 * Lets calls that wait at the same moment share one statement.
 *
 * Nobody waits for company: a call that comes by itself leaves at once, alone. Calls that come while all
 * slots are taken go together in the next statement, and take along those that may wait, which otherwise
 * leave together after a while. None joins a statement that has been sent.
 *
 * Calls that go together first let a statement of their forerunner end: requests that are loading are about
 * to save. Without that, busy requests fall into two groups, one of which loads while the other saves, and
 * each statement serves half of them.
 *
 * When the database refuses a shared statement, each of its calls is tried by itself, so that nobody pays for
 * another's bad value; when the outcome is unknown, each call is told so.
 */
export class Batcher<Call, Answer> implements Forerunner {
  readonly #runner: StatementRunner
  readonly #operation: SharedOperation<Call, Answer>
  readonly #limits: BatchLimits
  readonly #forerunner: Forerunner | null
  #waiting: Waiting<Call, Answer>[] = []
  #underWay = 0
  #timer: NodeJS.Timeout | null = null
  #hasCompany = false
  #isGathering = false
  #listeners: (() => void)[] = []

  constructor(
    runner: StatementRunner,
    operation: SharedOperation<Call, Answer>,
    limits: BatchLimits,
    forerunner: Forerunner | null = null,
  ) {
    this.#runner = runner
    this.#operation = operation
    this.#limits = limits
    this.#forerunner = forerunner
  }

  onceAnswered(listener: () => void): boolean {
    if (this.#underWay === 0 && !this.#isGathering) return false
    this.#listeners.push(listener)
    return true
  }

  /** @throws As `StatementRunner.run` does. Without a deadline, a budget of the runner's counts from this call. */
  run(call: Call, deadline: Deadline = this.#runner.begin()): Promise<Answer> {
    const isFree = this.#underWay < this.#limits.slots
    const mayWait = this.#limits.batch > 1 && this.#operation.mayWait?.(call) === true
    if (isFree && !this.#hasCompany && !mayWait) {
      this.#underWay++
      return this.#alone(call, deadline).finally(() => this.#freeSlot())
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ call, deadline, mayWait, resolve, reject })
      if (isFree && this.#isPressing) this.#gather()
      else this.#watchQueue()
    })
  }

  /** Whether somebody waits for an answer, or as many calls have been collected as go together. */
  get #isPressing(): boolean {
    const isFull = this.#waiting.length >= this.#limits.batch
    return isFull || this.#waiting.some(({ mayWait }) => !mayWait)
  }

  async #alone(call: Call, deadline: Deadline): Promise<Answer> {
    const { repeatable } = this.#operation
    const statement = this.#operation.one(call)
    const rows = await this.#runner.run(statement, { repeatable, deadline })
    return this.#operation.readOne(rows, call)
  }

  #freeSlot(): void {
    this.#underWay--
    for (const listener of this.#listeners.splice(0)) listener()
    if (this.#isPressing) this.#gather()
    else this.#watchQueue()
  }

  /**
   * Sends what waits at the end of this turn of the event loop. Callers that have just been answered, and
   * requests that have just arrived, so share the next statement rather than split it in two. A call that
   * comes by itself does not go this way: the last statement was shared, or others wait already.
   */
  #gather(): void {
    if (this.#isGathering) return
    this.#isGathering = true
    setImmediate(() => {
      if (!this.#letForerunnerEnd()) this.#endGathering()
    })
  }

  /** Sends what waits once the forerunner's callers have come. False when none is under way. */
  #letForerunnerEnd(): boolean {
    let hasGone = false
    let timer: NodeJS.Timeout | undefined
    const go = (): void => {
      if (hasGone) return
      hasGone = true
      clearTimeout(timer)
      this.#endGathering()
    }
    const waits = this.#forerunner?.onceAnswered(() => setImmediate(go)) === true
    if (waits) timer = setTimeout(go, this.#limits.patience)
    return waits
  }

  #endGathering(): void {
    this.#isGathering = false
    this.#sendNext()
  }

  #sendNext(): void {
    if (this.#waiting.length === 0 || this.#underWay === this.#limits.mostSlots) return
    this.#underWay++
    const batch = this.#nextBatch()
    this.#hasCompany = batch.length > 1
    void this.#together(batch).finally(() => this.#freeSlot())
  }

  /** Those who have waited longest. */
  #nextBatch(): Waiting<Call, Answer>[] {
    const { sessionOf, sizeOf, isExclusive } = this.#operation
    const taken = new Set<string>()
    const batch: Waiting<Call, Answer>[] = []
    const left: Waiting<Call, Answer>[] = []
    let bytes = 0
    let isFull = false
    for (const waiting of this.#waiting) {
      const session = sessionOf(waiting.call)
      const size = sizeOf(waiting.call)
      isFull ||= batch.length > 0 && bytes + size > this.#limits.batchBytes
      if (isFull || (isExclusive && taken.has(session))) {
        left.push(waiting)
      } else {
        taken.add(session)
        batch.push(waiting)
        bytes += size
        isFull = batch.length === this.#limits.batch
      }
    }
    this.#waiting = left
    return batch.sort((a, b) => (sessionOf(a.call) < sessionOf(b.call) ? -1 : 1))
  }

  /** Never rejects: each call is answered for itself. */
  async #together(batch: readonly Waiting<Call, Answer>[]): Promise<void> {
    if (batch.length === 1) return this.#each(batch)
    const calls = batch.map(({ call }) => call)
    // The statement may go on for longer than some of its calls can wait.
    const watch = setInterval(() => this.#refuseLate(batch, 'unknown'), this.#limits.patience)
    try {
      const { repeatable } = this.#operation
      const deadline = batch.reduce(latest, batch[0] as Waiting<Call, Answer>).deadline
      const rows = await this.#runner.run(this.#operation.many(calls), { repeatable, deadline })
      const answers = this.#operation.readMany(rows, calls)
      const unanswered: Waiting<Call, Answer>[] = []
      batch.forEach((waiting, index) => {
        const answer = answers[index] ?? null
        if (answer === null) unanswered.push(waiting)
        else waiting.resolve(answer)
      })
      // Whoever must wait for somebody else's lock does so without holding a slot.
      void this.#each(unanswered)
    } catch (error) {
      // A refused statement has done nothing. Any other failure would meet every call again.
      if (error instanceof StoreError) return this.#each(batch)
      for (const waiting of batch) waiting.reject(error)
    } finally {
      clearInterval(watch)
    }
  }

  async #each(batch: readonly Waiting<Call, Answer>[]): Promise<void> {
    await Promise.all(
      batch.map(({ call, deadline, resolve, reject }) =>
        this.#alone(call, deadline).then(resolve, reject),
      ),
    )
  }

  #watchQueue(): void {
    if (this.#waiting.length === 0) return
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      this.#waiting = this.#refuseLate(this.#waiting, 'none')
      this.#sendNext()
      this.#watchQueue()
    }, this.#limits.patience)
  }

  /** Nobody waits longer than the deadline. Gives those who still wait. */
  #refuseLate(
    waiting: readonly Waiting<Call, Answer>[],
    outcome: Outcome,
  ): Waiting<Call, Answer>[] {
    return waiting.filter(({ call, deadline, reject }) => {
      if (!deadline.isOver) return true
      reject(timedOut(this.#operation.one(call), deadline.duration, outcome))
      return false
    })
  }
}

/** Of two that wait, the one that may wait longer. */
function latest<Waits extends { readonly deadline: Deadline }>(a: Waits, b: Waits): Waits {
  return b.deadline.endsAt > a.deadline.endsAt ? b : a
}
