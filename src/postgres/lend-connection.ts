import { StoreUnavailableError } from '../errors.ts'
import { realTime } from '../real-time.ts'
import type { Connection, Driver } from './driver.ts'
import { noteExplanation } from './explanations.ts'

/**
 * Lends a connection of a driver, and waits for it no longer than `timeout` milliseconds.
 *
 * A driver waits as long as its client does, which may be without end: by default `pg` and postgres.js do
 * when the network drops the greeting or the pool has no connection left. A connection that comes too late
 * goes back unused. There is no bound for `use`. Statements are sent without a name, since a pooler that
 * tracks named statements closes a connection on which one failed to parse, as it does before the tables
 * exist.
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
    const timer = realTime.setTimeout(giveUp, timeout)
    let settle = (): void => {}
    const useInTime = async (connection: Connection): Promise<void> => {
      realTime.clearTimeout(timer)
      if (isLate) return
      const result = await use(unnamed(driver, connection))
      settle = () => resolve(result)
    }
    driver
      .withConnection(useInTime, { timeout })
      .then(
        () => settle(),
        (error: unknown) => {
          noteExplanation(driver, error)
          reject(error)
        },
      )
      .finally(() => realTime.clearTimeout(timer))
  })
}

function unnamed(driver: Driver, connection: Connection): Connection {
  const explained = async <Answer>(answer: Promise<Answer>): Promise<Answer> => {
    try {
      return await answer
    } catch (error) {
      noteExplanation(driver, error)
      throw error
    }
  }
  return {
    query: (statement, bounds) =>
      explained(connection.query(statement, { ...bounds, prepare: false })),
    run: (sql) => explained(connection.run(sql)),
  }
}

function noConnection(timeout: number, purpose: string): StoreUnavailableError {
  return new StoreUnavailableError(
    `No database connection was available within ${Math.round(timeout)} ms to ${purpose}. Check that the database can be reached and that its pool has a connection to spare; trying again is safe.`,
    'none',
    { statement: purpose },
  )
}
