import type { QueryOptions, Row } from '../../postgres/driver.ts'

/**
 * The only connection there is has given a statement rows that are not its answer. Every later answer on it
 * may be wrong too, so it is not used again.
 */
export class ConnectionSpoiltError extends Error {
  readonly code: string = 'ENOTCONN'

  constructor(advice: string) {
    super(
      `An earlier statement on this connection was given rows that are not its answer, so nothing more is sent on it. ${advice}`,
    )
  }

  override get name(): string {
    return 'ConnectionSpoiltError'
  }
}

/** Gives the rows if they pass `check`; otherwise calls `discard` first and rethrows what `check` threw. */
export function checkedRows(
  rows: readonly Row[],
  check: QueryOptions['check'],
  discard: (problem: unknown) => void,
): readonly Row[] {
  try {
    check?.(rows)
  } catch (problem) {
    discard(problem)
    throw problem
  }
  return rows
}
