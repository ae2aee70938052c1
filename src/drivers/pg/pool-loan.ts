import type { Connection } from '../../postgres/driver.ts'
import { markStartupFailure } from '../failures/startup-failure.ts'
import { isAboutStatement } from '../waiting/about-statement.ts'
import { countdown, within } from '../waiting/deadline.ts'
import { ask, run } from './client.ts'
import {
  firstUseOf,
  followClient,
  isInTransaction,
  isSpoilt,
  type PgPoolClientLike,
  type PgPoolLike,
  surviveErrors,
} from './pool.ts'
import { type BoundedPool, takeTurn } from './pool-statement.ts'

/**
 * Lends a client of a pool. The pool gets it back only if nothing on it failed.
 *
 * A call cannot be withdrawn from a pool, so one that has given up keeps its turn until the pool answers.
 */
export async function lendClient<Result>(
  bounded: BoundedPool,
  { prepare, timeout }: { readonly prepare: boolean; readonly timeout: number | undefined },
  use: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  const left = countdown(timeout ?? Number.POSITIVE_INFINITY)
  const endTurn = bounded.turns.takeNow() ?? (await takeTurn(bounded, timeout))
  const connecting = cleanClient(bounded)
  const late = (client: PgPoolClientLike): void => {
    client.release()
    endTurn()
  }
  let isLate = false
  const giveUp = (): void => {
    isLate = true
    connecting.catch(endTurn)
  }
  try {
    const client = await within(left(), 'connect', connecting, { giveUp, late })
    return await useClient(client, { prepare, readOnly: bounded.readOnly }, use)
  } finally {
    if (!isLate) endTurn()
  }
}

async function cleanClient({ pool, readOnly }: BoundedPool): Promise<PgPoolClientLike> {
  for (;;) {
    const client = await connect(pool)
    surviveErrors(client)
    followClient(client)
    if (!isSpoilt(client) && !readOnly.isBefore(firstUseOf(client))) return client
    client.release(true)
  }
}

async function connect(pool: PgPoolLike): Promise<PgPoolClientLike> {
  try {
    return await pool.connect()
  } catch (error) {
    markStartupFailure(error)
    throw error
  }
}

async function useClient<Result>(
  client: PgPoolClientLike,
  { prepare, readOnly }: Pick<BoundedPool, 'readOnly'> & { readonly prepare: boolean },
  use: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  let isSpoilt = false
  const spoil = (): void => {
    isSpoilt = true
  }
  const watch = <Answer>(answer: Promise<Answer>): Promise<Answer> =>
    answer.catch((error: unknown) => {
      readOnly.note(error)
      if (!isAboutStatement(error)) spoil()
      throw error
    })
  client.on('error', spoil)
  try {
    return await use({
      query: (statement, { timeout, ...bounds }) => {
        const answer = ask(client, statement, { ...bounds, prepare: bounds.prepare ?? prepare })
        return watch(within(timeout, 'read', answer))
      },
      run: (sql) => watch(run(client, sql)),
    })
  } catch (error) {
    spoil()
    throw error
  } finally {
    client.removeListener('error', spoil)
    client.release(isSpoilt || isInTransaction(client))
  }
}
