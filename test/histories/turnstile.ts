/** Lets calls through in an order that a seed decides. */
export interface Turnstile {
  /** Runs a call when its turn has come. */
  pass<Result>(call: () => Promise<Result>): Promise<Result>
  /** Resolves once no call waits or runs. */
  empty(): Promise<void>
}

/** Lets every call through at once. */
export function openTurnstile(): Turnstile {
  const running = new Set<Promise<unknown>>()
  return {
    async pass(call) {
      const result = call()
      const settled: Promise<unknown> = result.catch(() => {}).then(() => running.delete(settled))
      running.add(settled)
      return await result
    },
    async empty() {
      while (running.size > 0) await Promise.all(running)
    },
  }
}

/** Turns of the event loop without a new call, after which all that run now wait for an answer. */
const QUIET_TURNS = 4

/**
 * Lets one call through at a time, and the next one when all clients wait: an order of statements that does not
 * depend on the machine. Locks and waits inside a database are not met this way.
 *
 * @param choose - Which of so many calls goes next.
 */
export function oneByOne(choose: (count: number) => number): Turnstile {
  const waiting: (() => Promise<unknown>)[] = []
  let isPumping = false
  const listeners: (() => void)[] = []

  async function quiet(): Promise<void> {
    for (let turns = 0, count = waiting.length; turns < QUIET_TURNS; turns += 1) {
      await new Promise((resolve) => setImmediate(resolve))
      if (waiting.length === count) continue
      count = waiting.length
      turns = 0
    }
  }

  async function pump(): Promise<void> {
    if (isPumping) return
    isPumping = true
    await quiet()
    while (waiting.length > 0) {
      const [next] = waiting.splice(choose(waiting.length), 1)
      await next?.()
      await quiet()
    }
    isPumping = false
    for (const listener of listeners.splice(0)) listener()
  }

  return {
    pass(call) {
      return new Promise((resolve, reject) => {
        waiting.push(() => call().then(resolve, reject))
        void pump()
      })
    },
    async empty() {
      if (isPumping) await new Promise<void>((resolve) => listeners.push(resolve))
    },
  }
}
