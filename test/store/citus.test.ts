import pg from 'pg'
import { PostgresStore } from 'pg-sessions'
import type { Statement } from 'pg-sessions/driver'
import { fromPg } from 'pg-sessions/pg'
import { adapterContract, storeContract } from 'pg-sessions/testing'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { distributeTables } from '../../src/postgres/distribution.ts'
import { resolveTableNames } from '../../src/postgres/table-names.ts'
import { openExpressApplication } from '../adapters/express-application.ts'
import { openFetchApplication } from '../adapters/fetch-application.ts'
import { everyStatement, OF_ALL } from '../postgres/every-statement.ts'
import { operationOf } from '../postgres/recording-driver.ts'

const url = process.env['CITUS_URL']
const schema = 'sessions_citus_test'

describe.skipIf(url === undefined)('on Citus, if CITUS_URL names its coordinator', () => {
  let pool: pg.Pool

  beforeAll(async () => {
    pool = new pg.Pool({ connectionString: url })
    await pool.query(`drop schema if exists ${schema} cascade`)
    await new PostgresStore({ driver: fromPg(pool), schema, distributed: true }).ready()
    await distributeTables(fromPg(pool), resolveTableNames({ schema }), { timeout: 60_000 })
  })
  afterAll(async () => {
    await pool.query(`drop schema if exists ${schema} cascade`)
    await pool.end()
  })

  function openStore(): PostgresStore {
    return new PostgresStore({ driver: fromPg(pool), schema, migrate: 'check', distributed: true })
  }

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
    const store = openStore()
    return { store, elapse, dispose: () => store.close() }
  })

  describe('expressSessions', () => {
    adapterContract({ describe, it }, openExpressApplication, { openStore: () => openStore() })
  })

  describe('withSession', () => {
    adapterContract({ describe, it }, openFetchApplication, {
      ...{ raw: false, property: false },
      openStore: () => openStore(),
    })
  })

  test('each statement of a request touches one shard for each session that it is about', async () => {
    const touched = new Map<string, readonly number[]>()
    const explain = async ({ name, text, values }: Statement): Promise<void> => {
      const client = await pool.connect()
      try {
        await client.query('begin')
        const { rows } = await client.query(`explain ${text}`, [...values])
        const plan = rows.map((row) => String(row['QUERY PLAN'])).join('\n')
        const tasks = [...plan.matchAll(/Task Count: (\d+)/g)].map(([, count]) => Number(count))
        touched.set(operationOf(name), tasks)
      } finally {
        await client.query('rollback')
        client.release()
      }
    }
    await everyStatement(pool, { schema, distributed: true }, explain)
    const ofRequests = [...touched].filter(([name]) => !OF_ALL.test(name))
    expect(ofRequests.length).toBeGreaterThan(20)
    expect(ofRequests.filter(([, tasks]) => tasks.some((count) => count > 1))).toEqual([])
  })
})
