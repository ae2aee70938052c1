import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { createSessions, type Sessions } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type FixtureProcesses, startTwoProcesses } from '../support/fixture-server-processes.ts'
import type { HttpVisitor } from '../support/fixture-server-visitor.ts'
import { elapse } from '../support/postgres-store.ts'

/** Promise 3: what was destroyed, revoked or has expired never comes back; saving to it says so. */

let processes: FixtureProcesses
let pool: pg.Pool
let sessions: Sessions
beforeAll(async () => {
  processes = await startTwoProcesses({ idleTimeout: '1h' })
  pool = new pg.Pool({ connectionString: processes.database.url })
  sessions = createSessions({ database: fromPg(pool), log: false })
  await sessions.ready()
})
afterAll(async () => {
  await pool.end()
  await processes.stop()
})

/** Ways in which a session ends, all of them on another process than the slow request. */
const endings: Record<string, (ann: HttpVisitor, id: string) => Promise<unknown>> = {
  'the user destroys': (ann) => ann.at(1).post('/do/destroy'),
  'the user signs out of': (ann) => ann.at(1).post('/do/sign-out'),
  'another tab clears': (ann) => ann.at(1).post('/do/clear'),
  'another user signs in to': (ann) => ann.at(1).post('/do/sign-in/bob'),
  'an administrator ends by its id': (_, id) => sessions.destroyById(id),
  'is signed out everywhere': () => sessions.destroyByUser('ann'),
  'has been idle too long': () => elapse(pool, 3_600_000),
  'has expired and been purged': async () => {
    await elapse(pool, 40 * 3_600_000)
    await sessions.purge()
  },
}

const writes = [
  'set/a/late',
  'set/new/late',
  'delete/a',
  'increment/n',
  'increment/new',
  'take/a',
  'rotate',
  'clear',
  'sign-in/ann',
  'sign-in/bob',
]

async function rowsOf(id: string): Promise<unknown[]> {
  const { rows } = await pool.query(
    `select 'session' from sessions.session where id = $1 and expires_at > now()
      union all select 'entry' from sessions.session_data as d join sessions.session as s
        on s.id = d.session_id where s.id = $1 and s.expires_at > now()`,
    [id],
  )
  return rows
}

beforeEach(() => pool.query('delete from sessions.session'))

describe.each(Object.entries(endings))('a session that %s', (_, end) => {
  it('takes nothing of what a slower request still does, and says so: 409, no cookie', async () => {
    const ann = processes.visitor()
    await ann.post('/do/set/a/1')
    await ann.post('/do/increment/n')
    await ann.post('/do/sign-in/ann')
    const { id } = await ann.session()
    const gate = randomUUID()
    const slow = writes.map((write) => ({ write, tab: ann.at(0) }))
    const answers = slow.map(({ write, tab }) => tab.post(`/slow/${gate}/${write}`))
    await ann.at(0).get(`/gates/${gate}/reached/${writes.length}`)
    await end(ann.twin(), String(id))
    expect(await rowsOf(String(id))).toEqual([])
    await ann.at(0).openGate(gate, writes.length)

    for (const [index, { write }] of slow.entries()) {
      const { status, code, setCookies } = (await answers[index]) as Awaited<(typeof answers)[0]>
      expect([write, status, code, setCookies]).toEqual([write, 409, 'ERR_SESSION_GONE', []])
    }
    expect(await rowsOf(String(id))).toEqual([])
    for (const process of [0, 1]) {
      expect(await ann.at(process).session()).toEqual({
        id: null,
        userId: null,
        data: {},
        isNew: true,
      })
    }
  })
})

/** Saves that wait at the same moment share a statement, in which each is guarded for itself. */
it.each([
  ['passed to a user', (ann: HttpVisitor) => ann.at(1).post('/do/sign-in/ann')],
  ['been destroyed', (ann: HttpVisitor) => ann.at(1).post('/do/destroy')],
  ['expired', () => elapse(pool, 3_600_000)],
] as const)(
  'of 40 late saves at once, those to sessions that have %s write nothing',
  async (_, end) => {
    const living = Array.from({ length: 20 }, () => processes.visitor())
    const ended = Array.from({ length: 20 }, () => processes.visitor())
    await Promise.all(ended.map((visitor) => visitor.post('/do/set/a/1')))
    const gate = randomUUID()
    const late = ended.map((visitor) => visitor.at(0).post(`/slow/${gate}/set/a/late`))
    const other = processes.visitor().at(0)
    await other.get(`/gates/${gate}/reached/20`)
    for (const visitor of ended) await end(visitor.twin())
    await Promise.all(living.map((visitor) => visitor.post('/do/set/a/1')))
    const timely = living.map((visitor) => visitor.at(0).post(`/slow/${gate}/set/a/timely`))
    await other.openGate(gate, 40)

    const statuses = async (answers: readonly Promise<{ status: number }>[]): Promise<number[]> =>
      (await Promise.all(answers)).map(({ status }) => status)
    expect(await statuses(late)).toEqual(ended.map(() => 409))
    expect(await statuses(timely)).toEqual(living.map(() => 200))
    const { rows } = await pool.query(
      `select e.value, count(*)::int as n from sessions.session_entry as e
      where e.value <> '"1"' group by 1`,
    )
    expect(rows).toEqual([{ value: '"timely"', n: 20 }])
  },
)

it('a save that holds the row first is done, and the destroy after it ends everything', async () => {
  const ann = processes.visitor()
  await ann.post('/do/set/a/1')
  const { id } = await ann.session()
  await Promise.all([
    ...Array.from({ length: 20 }, (_, n) => ann.twin().post(`/do/set/key${n}/1`)),
    ann.twin().post('/do/destroy'),
    ...Array.from({ length: 20 }, () => ann.twin().post('/do/increment/n')),
  ])
  expect(await rowsOf(String(id))).toEqual([])
  const entries = await pool.query('select from sessions.session_data where session_id = $1', [id])
  expect(entries.rowCount).toBe(0)
  expect((await ann.session()).id).toBeNull()
})

it('ending it again, from wherever, is not an error, and revives nothing', async () => {
  const ann = processes.visitor()
  await ann.post('/do/sign-in/ann')
  const tab = ann.twin()
  const gate = randomUUID()
  const late = ann.at(0)
  const destroying = late.post(`/slow/${gate}/destroy`)
  await ann.at(0).get(`/gates/${gate}/reached/1`)
  expect((await ann.post('/do/sign-out')).status).toBe(200)
  await late.openGate(gate)
  expect((await destroying).status).toBe(200)
  expect((await tab.post('/do/sign-out')).status).toBe(200)
  expect((await tab.post('/do/destroy')).status).toBe(200)
  expect([ann.token, late.token, tab.token]).toEqual([null, null, null])
  expect(await sessions.listByUser('ann')).toEqual([])
})
