import { readdirSync, readFileSync } from 'node:fs'

/** CPU that a process and its descendants have used so far, by process id; nanoseconds. */
export type CpuReading = ReadonlyMap<number, number>

/** Whether this machine tells what other processes use. */
export const canReadOthers = process.platform === 'linux'

/**
 * Reads what a process, its threads and all its descendants have used.
 *
 * The kernel's scheduler statistics count nanoseconds, where `/proc/<pid>/stat` counts hundredths of
 * a second: too coarse for a round of a tenth of a second.
 *
 * @see https://docs.kernel.org/scheduler/sched-stats.html
 */
export function readTreeCpu(root: number): CpuReading {
  const reading = new Map<number, number>()
  const visit = (pid: number): void => {
    const threads = attempt(() => readdirSync(`/proc/${pid}/task`)) ?? []
    let used = 0
    for (const thread of threads) {
      const folder = `/proc/${pid}/task/${thread}`
      used += Number(attempt(() => readFileSync(`${folder}/schedstat`, 'utf8'))?.split(' ')[0] ?? 0)
      const children = attempt(() => readFileSync(`${folder}/children`, 'utf8')) ?? ''
      for (const child of children.split(' ')) if (child.trim() !== '') visit(Number(child))
    }
    reading.set(pid, used)
  }
  visit(root)
  return reading
}

/**
 * Microseconds used between two readings. A process that began in between counts whole; what one used
 * that ended in between is not known and left out.
 */
export function cpuBetween(before: CpuReading, after: CpuReading): number {
  let nanoseconds = 0
  for (const [pid, used] of after) nanoseconds += Math.max(0, used - (before.get(pid) ?? 0))
  return nanoseconds / 1000
}

/** A process may end while it is looked at. */
function attempt<Result>(read: () => Result): Result | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
