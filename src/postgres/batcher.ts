import { type Outcome, StoreError } from '../errors.ts'
import { realTime } from '../real-time.ts'
import type { Deadline } from '../store/deadline.ts'
import { type OperationMessage, operationUnderWay } from '../telemetry/channels.ts'
import { outsideRequests } from '../telemetry/request-context.ts'
import type { BatchLimits } from './batch-limits.ts'
import type { Operation } from './operation.ts'
import { type StatementRunner, timedOut } from './statement-runner.ts'

/** An operation that many callers can share one statement for. */
export interface SharedOperation<Call, Answer> {
  /** The operation for a call that goes alone. */
  single(call: Call): Operation<Call, Answer>
  /**
   * The operation for several calls, in the order of their sessions' ids. It answers in the same order, with
   * null for a call that must be tried alone.
   */
  readonly batch: Operation<readonly Call[], readonly (Answer | null)[]>
  /** The session a call is about. */
  sessionOf(call: Call): string
  /** Whether a statement takes each session once, so that a second call about it waits its turn. */
  readonly isExclusive: boolean
  /** About how many bytes a call carries. */
  sizeOf(call: Call): number
  /** Whether no caller waits for the answer. */
  mayWait?(call: Call): boolean
}

/** Calls of another kind, whose callers are likely to come here once they are answered. */
export interface Upstream {
  /**
   * Calls back once, as soon as a statement has been answered. False, and never, when none is in flight or
   * about to leave.
   */
  onceAnswered(listener: () => void): boolean
}

interface Waiting<Call, Answer> {
  readonly call: Call
  readonly deadline: Deadline
  readonly mayWait: boolean
  readonly caller: OperationMessage | undefined
  resolve(answer: Answer): void
  reject(error: unknown): void
}

/**
 * Lets calls that wait at the same moment share one statement.
 *
 * A call that finds a free slot leaves at once, alone. Calls that arrive while all slots are taken go together
 * in the next statement, and take along those that may wait, which otherwise leave together after a while.
 * None joins a statement that has been sent.
 *
 * Before it sends a batch, it waits for a statement of its upstream in flight: requests that are loading are
 * about to save. Without that, busy requests fall into two groups, one of which loads while the other saves,
 * and each statement serves half of them.
 *
 * When the database refuses a shared statement, each of its calls is tried alone, so that no call fails for
 * another's bad value. When the outcome is unknown, each call is told so.
 */
export class Batcher<Call, Answer> implements Upstream {
  readonly #runner: StatementRunner
  readonly #operation: SharedOperation<Call, Answer>
  readonly #limits: BatchLimits
  readonly #upstream: Upstream | null
  #waiting: Waiting<Call, Answer>[] = []
  #inFlight = 0
  #timer: NodeJS.Timeout | null = null
  #lastBatchWasShared = false
  #isGathering = false
  #listeners: (() => void)[] = []

  constructor(
    runner: StatementRunner,
    operation: SharedOperation<Call, Answer>,
    limits: BatchLimits,
    upstream: Upstream | null = null,
  ) {
    this.#runner = runner
    this.#operation = operation
    this.#limits = limits
    this.#upstream = upstream
  }

  onceAnswered(listener: () => void): boolean {
    if (this.#inFlight === 0 && !this.#isGathering) return false
    this.#listeners.push(listener)
    return true
  }

  /** @throws As `StatementRunner.ask` does. Without a deadline, a budget of the runner's counts from this call. */
  run(call: Call, deadline: Deadline = this.#runner.begin()): Promise<Answer> {
    const isFree = this.#inFlight < this.#limits.slots
    const mayWait = this.#limits.batch > 1 && this.#operation.mayWait?.(call) === true
    if (isFree && !this.#lastBatchWasShared && !mayWait) {
      return this.#inSlot(call, deadline)
    }
    return new Promise((resolve, reject) => {
      const caller = operationUnderWay()
      this.#waiting.push({ call, deadline, mayWait, caller, resolve, reject })
      if (isFree && this.#shouldFlush) this.#gather()
      else this.#watchQueue()
    })
  }

  /** Whether a caller waits for an answer, or as many calls have been collected as go together. */
  get #shouldFlush(): boolean {
    const isFull = this.#waiting.length >= this.#limits.batch
    return isFull || this.#waiting.some(({ mayWait }) => !mayWait)
  }

  /** By a slot that is free. */
  async #inSlot(call: Call, deadline: Deadline): Promise<Answer> {
    this.#inFlight++
    try {
      return await this.#alone(call, deadline)
    } finally {
      this.#freeSlot()
    }
  }

  #alone(
    call: Call,
    deadline: Deadline,
    callers: readonly (OperationMessage | undefined)[] | null = null,
  ): Promise<Answer> {
    return this.#runner.ask(this.#operation.single(call), call, deadline, callers)
  }

  #freeSlot(): void {
    this.#inFlight--
    for (const listener of this.#listeners.splice(0)) listener()
    if (this.#shouldFlush) this.#gather()
    else this.#watchQueue()
  }

  /**
   * Sends what waits at the end of this turn of the event loop. Callers that have just been answered, and
   * requests that have just arrived, then share the next statement instead of splitting it in two. A single
   * call does not go this way: the last statement was shared, or others wait already.
   */
  #gather(): void {
    if (this.#isGathering) return
    this.#isGathering = true
    realTime.setImmediate(() => {
      if (!this.#awaitUpstream()) this.#endGathering()
    })
  }

  /** Sends what waits once the upstream's callers have come. False when none is in flight. */
  #awaitUpstream(): boolean {
    let hasGone = false
    let timer: NodeJS.Timeout | undefined
    const go = (): void => {
      if (hasGone) return
      hasGone = true
      realTime.clearTimeout(timer)
      this.#endGathering()
    }
    const waits = this.#upstream?.onceAnswered(() => realTime.setImmediate(go)) === true
    if (waits) timer = realTime.setTimeout(go, this.#limits.patience)
    return waits
  }

  #endGathering(): void {
    this.#isGathering = false
    this.#sendNext()
  }

  #sendNext(): void {
    if (this.#waiting.length === 0 || this.#inFlight === this.#limits.mostSlots) return
    this.#inFlight++
    const batch = this.#nextBatch()
    this.#lastBatchWasShared = batch.length > 1
    void outsideRequests(() => this.#together(batch)).finally(() => this.#freeSlot())
  }

  /** The calls that have waited longest. */
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
    const callers = batch.map(({ caller }) => caller)
    // The statement may go on for longer than some of its calls can wait. An answer that came meanwhile counts.
    const watch = realTime.setInterval(
      () => realTime.setImmediate(() => this.#refuseLate(batch, 'unknown')),
      this.#limits.patience,
    )
    try {
      const { deadline } = batch.reduce(latest)
      const answers = await this.#runner.ask(this.#operation.batch, calls, deadline, callers)
      const unanswered: Waiting<Call, Answer>[] = []
      batch.forEach((waiting, index) => {
        const answer = answers[index] ?? null
        if (answer === null) unanswered.push(waiting)
        else waiting.resolve(answer)
      })
      // A call that must wait for a lock does so without holding a slot.
      void this.#each(unanswered)
    } catch (error) {
      // A refused statement has done nothing. Any other failure would meet every call again.
      if (error instanceof StoreError) return this.#each(batch)
      for (const waiting of batch) waiting.reject(error)
    } finally {
      realTime.clearInterval(watch)
    }
  }

  async #each(batch: readonly Waiting<Call, Answer>[]): Promise<void> {
    await Promise.all(
      batch.map(({ call, deadline, caller, resolve, reject }) =>
        this.#alone(call, deadline, [caller]).then(resolve, reject),
      ),
    )
  }

  #watchQueue(): void {
    if (this.#waiting.length === 0) return
    this.#timer ??= realTime.setTimeout(() => {
      this.#timer = null
      this.#waiting = this.#refuseLate(this.#waiting, 'none')
      this.#sendNext()
      this.#watchQueue()
    }, this.#limits.patience)
  }

  /** Rejects the calls whose deadline has passed, and returns the others. */
  #refuseLate(
    waiting: readonly Waiting<Call, Answer>[],
    outcome: Outcome,
  ): Waiting<Call, Answer>[] {
    return waiting.filter(({ call, deadline, reject }) => {
      if (!deadline.isOver) return true
      reject(timedOut(this.#operation.single(call).prepared, deadline.duration, outcome))
      return false
    })
  }
}

/** Of two that wait, the one that may wait longer. */
function latest<Waits extends { readonly deadline: Deadline }>(a: Waits, b: Waits): Waits {
  return b.deadline.endsAt > a.deadline.endsAt ? b : a
}
