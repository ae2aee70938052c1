/**
 * Lets updates of the same key wait for each other within this process.
 *
 * It guards nothing: the store's compare-and-set does, across processes. It only spares it from
 * losing the same race over and over, and hands on what the key held last.
 */
export class UpdateQueue {
  readonly #tails = new Map<string, Promise<Uint8Array | null | undefined>>()

  /**
   * Runs a task after those before it.
   *
   * @param task - Is given what the task before it left (undefined when there was none or it failed),
   * and gives what it leaves.
   */
  async run(
    name: string,
    task: (latest: Uint8Array | null | undefined) => Promise<Uint8Array | null>,
  ): Promise<void> {
    const before = this.#tails.get(name)
    const result = before === undefined ? task(undefined) : before.then(task)
    const tail = result.catch(() => undefined)
    this.#tails.set(name, tail)
    try {
      await result
    } finally {
      if (this.#tails.get(name) === tail) this.#tails.delete(name)
    }
  }
}
