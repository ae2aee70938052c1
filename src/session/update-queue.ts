import type { Deadline } from '../store/deadline.ts'
import type { Precondition } from '../store/session-store.ts'
import { Turn } from './turn.ts'

interface Queue {
  readonly turn: Turn
  /** How many updates run or wait. */
  length: number
  /** The value the last update left; undefined while none has succeeded. */
  latest: Uint8Array | null | undefined
}

/**
 * Lets updates of the same key wait for each other within this process.
 *
 * It guards nothing: the store's compare-and-set does, across processes. It only spares updates from losing
 * the same race again and again, and passes on the value that the update before has left.
 *
 * A value passes only between requests that saw the same session, of the same user, since the same sign-in.
 * A request from before a sign-in never sees a value of the user who signed in.
 */
export class UpdateQueue {
  readonly #queues = new Map<string, Queue>()

  /**
   * Runs a task after those before it.
   *
   * @param task - Gets the value that the task before has left (undefined if there was none or it failed),
   * and returns the value that it leaves.
   * @throws {StoreUnavailableError} If the deadline passes before this task's turn.
   */
  async run(
    { id, userId, version }: Precondition,
    key: string,
    deadline: Deadline,
    task: (latest: Uint8Array | null | undefined) => Promise<Uint8Array | null>,
  ): Promise<void> {
    const name = JSON.stringify([id, userId, version, key])
    const queue = this.#queues.get(name) ?? { turn: new Turn(), length: 0, latest: undefined }
    queue.length++
    this.#queues.set(name, queue)
    try {
      await queue.turn.take(deadline, async () => {
        const { latest } = queue
        queue.latest = undefined
        queue.latest = await task(latest)
      })
    } finally {
      queue.length--
      if (queue.length === 0) this.#queues.delete(name)
    }
  }
}
