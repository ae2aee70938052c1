import { StoreUnavailableError } from '../errors.ts'

/** Whether a call that failed so may have been applied. */
export function isUnknown(error: unknown): boolean {
  return error instanceof StoreUnavailableError && error.outcome === 'unknown'
}
