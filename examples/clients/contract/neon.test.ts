import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { neon, neonConfig } from '@neondatabase/serverless'
import { Pool } from 'pg'
import { createSessions, PostgresStore } from 'pg-sessions'
import { withSession } from 'pg-sessions/fetch'
import { fromNeon } from 'pg-sessions/neon'
import { fromPg } from 'pg-sessions/pg'
import { driverContract, storeContract } from 'pg-sessions/testing'
import { type NeonServer, startNeonServer } from './neon-server.ts'

const url = 'postgresql://ann:secret@neon.example/shop'
/** Spoils values, unless the driver keeps it from them. */
const spoiling = { types: { getTypeParser: () => () => 'spoilt' }, fullResults: true } as const
const sql = neon(url, spoiling)
const driver = fromNeon(sql)
const statement = { name: 'neon_test', text: 'select $1::text as echo', values: ['a secret value'] }

let server: NeonServer
let pool: Pool

before(async () => {
  server = await startNeonServer(process.env.DATABASE_URL ?? '')
  neonConfig.fetchEndpoint = () => server.origin
  pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 2 })
  await new PostgresStore({ driver: fromPg(pool) }).ready()
})

after(async () => {
  await pool.end()
  await server.close()
})

describe("Neon's HTTP function keeps the driver contract", () => {
  driverContract(
    { describe, it },
    async () => ({
      driver,
      connections: 8,
      useClient: async () => {
        await sql.query('select 1')
      },
      dispose: async () => {},
    }),
    { lends: false },
  )
})

describe("PostgresStore over Neon's HTTP function", () => {
  storeContract({ describe, it }, async () => {
    await pool.query('delete from sessions.session')
    const store = new PostgresStore({ driver, migrate: 'off', deadline: '30s' })
    return { store, elapse, dispose: () => store.close() }
  })
})

describe('fromNeon', () => {
  it('refuses a cap of users, which takes a transaction, when the sessions are made', () => {
    const maxPerUser = { count: 2, beyond: 'end-oldest' } as const
    assert.throws(() => createSessions({ database: driver, maxPerUser }), /leave maxPerUser out/)
  })

  const faults = {
    'an answer that got lost': ['cut', 'unknown'],
    'a status of 500': [500, 'unknown'],
    'a status of 502': [502, 'unknown'],
    'a status of 401': [401, 'none'],
    'a status of 429': [429, 'none'],
  } as const
  for (const [fault, [how, outcome]] of Object.entries(faults)) {
    it(`says of ${fault} whether it may have had an effect, and works again`, async () => {
      server.failNext(how)
      const error = await driver.query(statement, { timeout: 20_000 }).catch((error) => error)
      const explanation = driver.explain?.(error)
      assert.equal(explanation?.outcome, outcome)
      assert.doesNotMatch(JSON.stringify(explanation), /secret/)
      assert.deepEqual(await driver.query(statement, { timeout: 20_000 }), [
        { echo: 'a secret value' },
      ])
    })
  }

  it('knows that nothing was sent to a server that is not there', async () => {
    const gone = await startNeonServer(process.env.DATABASE_URL ?? '')
    await gone.close()
    const reachable = neonConfig.fetchEndpoint
    neonConfig.fetchEndpoint = () => gone.origin
    const error = await driver.query(statement, { timeout: 20_000 }).catch((error) => error)
    neonConfig.fetchEndpoint = reachable
    const { outcome, kind } = driver.explain?.(error) ?? {}
    assert.deepEqual({ outcome, kind }, { outcome: 'none', kind: 'unreachable' })
  })

  it('takes tables that are there, and says how to make those that are not', async () => {
    const sessions = createSessions({ database: driver, log: false })
    await sessions.ready()
    const handler = withSession(sessions, async (_request, session) => {
      await session.signIn('ann')
      return Response.json(session.userId)
    })
    const answer = await handler(new Request('https://example.com/'))
    assert.equal(answer.status, 200)
    await sessions.close()
    const missing = createSessions({ database: driver, schema: 'elsewhere', log: false })
    await assert.rejects(missing.ready(), /npx pg-sessions migrate/)
    await missing.close()
  })

  it('refuses what is no such function', () => {
    for (const other of [undefined, url, new Pool(), pool]) {
      assert.throws(() => fromNeon(other as never), /Write fromNeon\(neon\(url\)\)/)
    }
  })
})

async function elapse(milliseconds: number): Promise<void> {
  const columns = [
    ...['created_at', 'authenticated_at', 'last_access_at', 'token_issued_at', 'expires_at'],
    ...['absolute_expires_at', 'purge_at', 'previous_until', 'elevated_at'],
  ]
  const moved = columns.map((column) => `${column} = ${column} - $1::float8 * interval '1 ms'`)
  await pool.query(`update sessions.session set ${moved.join(', ')}`, [milliseconds])
}
