/** One guard taken out of the code, to see that a test notices. */
export interface Mutant {
  /** What the code no longer does: "looks at the owner". */
  readonly without: string
  /** The text of the guard. It stands in the file once. */
  readonly from: string
  readonly to: string
  /** Test files that notice, when they are others than the group's. */
  readonly tests?: readonly string[]
  /** Why no test can notice. The text must still be there; no test runs. */
  readonly equivalent?: string
}

/** The mutants of one file. */
export interface MutantGroup {
  readonly file: string
  /** Test files that notice, the fastest first. */
  readonly tests: readonly string[]
  readonly mutants: readonly Mutant[]
}

/** @throws {Error} If the guard's text is gone, or stands in the file more than once. */
export function mutate(source: string, { without, from, to }: Mutant, file: string): string {
  const parts = source.split(from)
  if (parts.length !== 2 || from === to) {
    const problem = parts.length === 1 ? 'is gone' : `is there ${parts.length - 1} times`
    throw new Error(`${file}: the text of the mutant "without ${without}" ${problem}.`)
  }
  return parts.join(to)
}
