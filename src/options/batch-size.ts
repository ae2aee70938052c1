import { ConfigurationError } from '../errors.ts'
import { shown } from './shown.ts'

/** Rows that one statement takes at most. More would make locks and memory of a batch those of the whole table. */
const MOST_ROWS = 100_000

/**
 * Reads how many rows a batch may have.
 *
 * @throws {ConfigurationError} It is not a whole number from 1 to 100 000.
 */
export function readBatchSize(batchSize: unknown): number {
  const isCount = typeof batchSize === 'number' && Number.isInteger(batchSize)
  if (isCount && batchSize >= 1 && batchSize <= MOST_ROWS) return batchSize
  throw new ConfigurationError(
    `batchSize must be a whole number from 1 to ${MOST_ROWS}; it is ${shown(batchSize)}.`,
  )
}
