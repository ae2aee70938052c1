import { StoreUnavailableError } from '../errors.ts'
import type { Connection, Driver } from './driver.ts'

/**
 * Lends a connection of a driver, and waits for it no longer than `timeout` milliseconds.
 *
 * A driver waits as long as its client does: for ever, by the defaults of `pg` and postgres.js, when
 * the network swallows the greeting or the pool has nothing left. A connection that comes too late goes
 * back unused. How long `use` may take is its own affair.
 *
 * @throws {StoreUnavailableError} There was no connection in time. Nothing was sent.
 */
export function lendConnection<Result>(
  driver: Driver,
  { timeout, purpose }: { readonly timeout: number; readonly purpose: string },
  use: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    let isLate = false
    const giveUp = (): void => {
      isLate = true
      reject(noConnection(timeout, purpose))
    }
    const timer = setTimeout(giveUp, timeout)
    let settle = (): void => {}
    const useInTime = async (connection: Connection): Promise<void> => {
      clearTimeout(timer)
      if (isLate) return
      const result = await use(connection)
      settle = () => resolve(result)
    }
    driver
      .withConnection(useInTime)
      .then(() => settle(), reject)
      .finally(() => clearTimeout(timer))
  })
}

function noConnection(timeout: number, purpose: string): StoreUnavailableError {
  return new StoreUnavailableError(
    `No database connection was to be had within ${Math.round(timeout)} ms to ${purpose}. Check that the database can be reached and that its pool has a connection to spare; trying again is safe.`,
    'none',
    { statement: purpose },
  )
}
