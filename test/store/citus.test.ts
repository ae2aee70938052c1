import pg from 'pg'
import { PostgresStore } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { storeContract } from 'pg-sessions/testing'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import {
  begin,
  bytes,
  changeOf,
  entry,
  lifetime,
  rotation,
  sample,
} from '../../src/testing/store-contract/samples.ts'

const url = process.env['CITUS_URL']
const schema = 'sessions_citus_test'

describe.skipIf(url === undefined)('on Citus, if CITUS_URL names its coordinator', () => {
  let pool: pg.Pool

  beforeAll(async () => {
    pool = new pg.Pool({ connectionString: url })
    await pool.query(`drop schema if exists ${schema} cascade`)
    await new PostgresStore({ driver: fromPg(pool), schema, distributed: true }).ready()
    await pool.query(`select create_distributed_table('${schema}.session', 'id')`)
    await pool.query(`select create_distributed_table('${schema}.session_data', 'session_id',
      colocate_with => '${schema}.session')`)
  })
  afterAll(async () => {
    await pool.query(`drop schema if exists ${schema} cascade`)
    await pool.end()
  })

  /** Moves every stored time into the past, by sums that Citus takes. */
  async function elapse(milliseconds: number): Promise<void> {
    const { rows } = await pool.query(`
      select a.attname as name from pg_attribute as a
      where a.attrelid = '${schema}.session'::regclass and a.atttypid = 'timestamptz'::regtype
        and not a.attisdropped`)
    const past = `(${milliseconds} * interval '1 ms')`
    const moved = rows.map(
      ({ name }) => `${name} = (${name} at time zone 'utc' - ${past}) at time zone 'utc'`,
    )
    await pool.query(`update ${schema}.session set ${moved.join(', ')}`)
  }

  storeContract({ describe, it }, async () => {
    await pool.query(`delete from ${schema}.session`)
    const driver = fromPg(pool)
    const store = new PostgresStore({ driver, schema, migrate: 'off', distributed: true })
    return { store, elapse, dispose: () => store.close() }
  })

  test('each statement of a request touches one shard', async () => {
    const driver = fromPg(pool)
    const plans = new Map<string, Promise<string[]>>()
    const explain = async (text: string, values: readonly (string | null)[]): Promise<string[]> => {
      const client = await pool.connect()
      try {
        await client.query('begin')
        const { rows } = await client.query(`explain ${text}`, [...values])
        return rows.map((row) => String(row['QUERY PLAN']))
      } finally {
        await client.query('rollback')
        client.release()
      }
    }
    const store = new PostgresStore({
      ...{ schema, migrate: 'off', distributed: true },
      driver: {
        ...driver,
        async query(statement, options) {
          const plan = explain(statement.text, statement.values)
          plans.set(statement.name, plan)
          await plan
          return driver.query(statement, options)
        },
      },
    })
    const one = await begin(store, { entries: [entry('a', '1')], userId: 'ann' })
    const token = { id: one.id, secretHashes: [one.secretHash] }
    await store.load(token)
    await store.save(changeOf(one, { written: [entry('b', '1')] }))
    await store.take({ ...one, lifetime, key: bytes('b') })
    await store.touch({ id: one.id, lifetime })
    const rotated = rotation(one.secretHash)
    await store.save(changeOf(one, { credentials: rotated }))
    await store.destroy({ id: one.id })
    const other = await begin(store)
    await store.replace({ ...other, secretHashes: [other.secretHash] }, sample())
    await store.close()
    for (const [name, plan] of plans) {
      const tasks = (await plan).flatMap((line) => /Task Count: (\d+)/.exec(line)?.[1] ?? [])
      expect(tasks.length, name).toBeGreaterThan(0)
      expect(new Set(tasks), name).toEqual(new Set(['1']))
    }
  })
})
