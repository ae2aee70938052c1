import pg from 'pg'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { type FixtureProcesses, startTwoProcesses } from '../support/fixture-server-processes.ts'
import type { HttpVisitor } from '../support/fixture-server-visitor.ts'
import { elapse } from '../support/postgres-store.ts'

/** Promise 7: purge deletes only what is dead at that moment, in batches, beside live traffic. */

let processes: FixtureProcesses
let pool: pg.Pool
beforeAll(async () => {
  processes = await startTwoProcesses({ idleTimeout: '1h' })
  pool = new pg.Pool({ connectionString: processes.database.url })
  await processes.visitor().post('/do/set/a/1')
})
beforeEach(() => pool.query('delete from sessions.session'))
afterAll(async () => {
  await pool.end()
  await processes.stop()
})

async function begin(count: number): Promise<HttpVisitor[]> {
  const visitors = Array.from({ length: count }, () => processes.visitor())
  await Promise.all(visitors.map((visitor) => visitor.post('/do/increment/n')))
  return visitors
}

async function stored(): Promise<number> {
  const { rowCount } = await pool.query('select from sessions.session')
  return rowCount ?? 0
}

it('purges on two processes beside live traffic remove each dead session once, and no other', async () => {
  await begin(60)
  await elapse(pool, 3_600_000)
  const living = await begin(20)
  const [purges, ...traffic] = await Promise.all([
    Promise.all(Array.from({ length: 6 }, () => processes.visitor().post('/purge/7'))),
    ...living.map(async (visitor) => {
      for (let round = 0; round < 5; round += 1) await visitor.post('/do/increment/n')
      return (await visitor.session()).data.n
    }),
  ])
  expect(traffic).toEqual(living.map(() => 6))
  // A purge passes over rows that another one holds, so the last one finds what is left.
  const last = await processes.visitor().post('/purge/1000')
  const removed = [...purges, last].map(({ result }) => Number(result))
  expect(removed.reduce((sum, n) => sum + n)).toBe(60)
  expect(await stored()).toBe(20)
  expect((await pool.query('select from sessions.session_data')).rowCount).toBe(20)
})

it('a session that is being used at that moment is passed over, without waiting, and lives', async () => {
  const [ann] = (await begin(1)) as [HttpVisitor]
  const { id } = await ann.session()
  await elapse(pool, 3_600_000)
  const user = await pool.connect()
  await user.query('begin')
  await user.query(
    `update sessions.session set expires_at = now() + interval '1h', purge_at = now() + interval '1h'
      where id = $1`,
    [id],
  )
  const { result } = await processes.visitor().post('/purge/10')
  expect(result).toBe(0)
  await user.query('commit')
  user.release()
  expect((await processes.visitor().post('/purge/10')).result).toBe(0)
  expect(await ann.session()).toMatchObject({ id, data: { n: 1 } })
})

it('what a purge has removed stays so, whatever a slower request saves', async () => {
  const [ann] = (await begin(1)) as [HttpVisitor]
  const slow = ann.at(0)
  const saving = slow.post('/slow/purged/set/late/1')
  await slow.get('/gates/purged/reached/1')
  await elapse(pool, 40 * 3_600_000)
  expect((await processes.visitor().post('/purge/10')).result).toBe(1)
  await slow.openGate('purged')
  expect(await saving).toMatchObject({ status: 409, code: 'ERR_SESSION_GONE', setCookies: [] })
  expect(await stored()).toBe(0)
})

it('an expired session is refused before any purge has run, and its row is left for one', async () => {
  const [ann] = (await begin(1)) as [HttpVisitor]
  await elapse(pool, 3_600_000)
  expect((await ann.session()).id).toBeNull()
  expect(await stored()).toBe(1)
  await elapse(pool, 3_600_000)
  expect((await processes.visitor().post('/purge/10')).result).toBe(1)
})
