import { quantile } from './statistics.ts'

/** One stretch of one kind of call, as the client saw it. */
export interface Round {
  readonly calls: number
  /** Microseconds of CPU of the client's process. */
  readonly clientCpu: number
  readonly seconds: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

export interface RoundOrder {
  readonly atATime: number
  readonly milliseconds: number
  /** Ends the round early. */
  readonly mostCalls?: number | undefined
  /** Waits for what the calls have left to be done later, which counts too. */
  readonly settle?: (() => Promise<void>) | undefined
}

/** Makes calls, so many at a time, until the time is up, and waits for the last ones. */
export async function runRound(
  call: () => Promise<unknown>,
  { atATime, milliseconds, mostCalls = Number.POSITIVE_INFINITY, settle }: RoundOrder,
): Promise<Round> {
  const latencies: number[] = []
  let begun = 0
  const cpu = process.cpuUsage()
  const start = performance.now()
  const end = start + milliseconds
  const work = async (): Promise<void> => {
    for (let now = performance.now(); now < end && begun < mostCalls; ) {
      begun++
      await call()
      const done = performance.now()
      latencies.push(done - now)
      now = done
    }
  }
  await Promise.all(Array.from({ length: atATime }, work))
  await settle?.()
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const sorted = Float64Array.from(latencies).sort()
  return {
    calls: latencies.length,
    clientCpu: user + system,
    seconds,
    p50: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
  }
}
