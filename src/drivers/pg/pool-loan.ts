import type { Connection } from '../../postgres/driver.ts'
import { markStartupFailure } from '../failures/startup-failure.ts'
import { isAboutStatement } from '../waiting/about-statement.ts'
import { ask, run } from './client.ts'
import {
  followTransactions,
  isInTransaction,
  type PgPoolClientLike,
  type PgPoolLike,
  surviveErrors,
} from './pool.ts'
import type { BoundedPool } from './pool-statement.ts'

/** Lends a client of a pool. The pool gets it back only if nothing on it failed. */
export async function lendClient<Result>(
  { pool, turns }: BoundedPool,
  prepare: boolean,
  use: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  const endTurn = await turns.take()
  try {
    return await useClient(await cleanClient(pool), prepare, use)
  } finally {
    endTurn()
  }
}

async function cleanClient(pool: PgPoolLike): Promise<PgPoolClientLike> {
  for (;;) {
    const client = await connect(pool)
    surviveErrors(client)
    followTransactions(client)
    if (!isInTransaction(client)) return client
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
  prepare: boolean,
  use: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  let isSpoilt = false
  const spoil = (): void => {
    isSpoilt = true
  }
  const watch = <Answer>(answer: Promise<Answer>): Promise<Answer> =>
    answer.catch((error: unknown) => {
      if (!isAboutStatement(error)) spoil()
      throw error
    })
  client.on('error', spoil)
  try {
    return await use({
      query: (statement, bounds) =>
        watch(ask(client, statement, { ...bounds, prepare: bounds.prepare ?? prepare })),
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
