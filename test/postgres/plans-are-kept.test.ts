import pg from 'pg'
import { PostgresStore } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { expect, test } from 'vitest'
import {
  type Begun,
  begin,
  changeOf,
  entry,
  inParallel,
  lifetime,
} from '../../src/testing/store-contract/samples.ts'
import { openPostgresStore } from '../support/postgres-store.ts'

const ROUNDS = 12

/** How many of a statement's first calls PostgreSQL plans before it decides whether to keep a plan. */
const TRIALS = 5

/** What a process with company does, with batches of every size. */
async function traffic(store: PostgresStore, sessions: readonly Begun[], round: number) {
  const some = sessions.slice(0, 3 + round)
  const written = [entry('a', `${round}`), entry('b', `${round}`)]
  await Promise.all(
    some.map(({ id, secretHash }) => store.load({ id, secretHashes: [secretHash] })),
  )
  await Promise.all(some.map((session) => store.save(changeOf(session, { written }))))
  await Promise.all(
    some.map((session) => store.save(changeOf(session, { written, isTouchDue: false }))),
  )
  await Promise.all(some.map(({ id }) => store.touch({ id, lifetime })))
  await inParallel(3 + round, () => begin(store, { entries: written }))
}

test('PostgreSQL plans each statement of the request path once, whatever the size of a batch', async () => {
  await using harness = await disposable()
  const { store, sessions, pool } = harness
  for (let round = 0; round < ROUNDS; round++) await traffic(store, sessions, round)
  const { rows } = await pool.query<{ name: string; custom: number; generic: number }>(
    `select substring(name from '^pg_sessions_(.*)_[0-9a-f]{8}$') as name,
       custom_plans::int as custom, generic_plans::int as generic
     from pg_prepared_statements`,
  )
  const used = rows.filter(({ custom, generic }) => custom + generic >= ROUNDS)
  expect(used.map(({ name }) => name).sort()).toEqual(
    expect.arrayContaining(['create_many', 'load_many', 'save_many', 'touch_many']),
  )
  expect(used.filter(({ custom }) => custom > TRIALS)).toEqual([])
})

async function disposable() {
  const harness = await openPostgresStore()
  const pool = new pg.Pool({ connectionString: harness.database.url, max: 1 })
  const store = new PostgresStore({ driver: fromPg(pool), migrate: 'off' })
  const sessions = await inParallel(ROUNDS + 3, () => begin(store))
  return {
    store,
    pool,
    sessions,
    async [Symbol.asyncDispose]() {
      await store.close()
      await pool.end()
      await harness.dispose()
    },
  }
}
