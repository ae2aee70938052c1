import { StoreUnavailableError } from '../errors.ts'

/**
 * The error of a call of several statements that failed after one of them was applied: whatever became of the failed
 * one, the call cannot say that nothing was written.
 *
 * @param done - Says what was applied, and what to do about the rest.
 */
export function partlyDone(error: unknown, done: string): unknown {
  if (!(error instanceof StoreUnavailableError) || error.outcome === 'unknown') return error
  const { statement, sqlState } = error
  return new StoreUnavailableError(done, 'unknown', {
    cause: error,
    ...(statement === undefined ? {} : { statement }),
    ...(sqlState === undefined ? {} : { sqlState }),
  })
}
