import fc from 'fast-check'
import { expect } from 'vitest'
import type { Ground } from './ground.ts'
import { programs } from './program.ts'
import { type Circumstances, runProgram } from './run-program.ts'

/** Programs of one seed, after which the clock is looked at. */
const PROGRAMS = 4

/**
 * Tries random programs for a while, at least a few. fast-check has a limit of its own, but leaves the program
 * that runs at that moment running.
 *
 * @param options.tries - How often each program is run: at once, the machine decides what meets what.
 * @param options.shrinks - Whether a smaller program that fails, too, is looked for, which takes a while.
 * @returns How many programs were run.
 */
export async function tryPrograms(
  ground: Ground,
  circumstances: Circumstances,
  options: {
    readonly seed: number
    readonly milliseconds: number
    readonly tries?: number
    readonly shrinks?: boolean
  },
): Promise<number> {
  const { seed, milliseconds, tries = 1, shrinks = true } = options
  const end = performance.now() + milliseconds
  let runs = 0
  const property = fc.asyncProperty(programs, async (program) => {
    runs += 1
    for (let n = 0; n < tries; n++) {
      expect(await runProgram(ground, program, circumstances)).toEqual([])
    }
  })
  for (let round = 0; round === 0 || performance.now() < end; round++) {
    await fc.assert(property, {
      seed: seed + round,
      numRuns: PROGRAMS,
      endOnFailure: !shrinks,
    })
  }
  return runs
}
