import { Client } from 'pg'
import type { Driver } from 'pg-sessions/driver'
import { WaiStore } from 'pg-sessions/haskell'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { wholeSeconds } from '../../src/haskell/sql-fragments.ts'
import { type OriginalDatabase, OriginalSide, roundHalfEven } from './original-side.ts'
import { holds, shareDatabase } from './shared-database.ts'

/** When a session lives, to the second: judged as the original judges it, on a clock that stands still. */

const shared = shareDatabase()
const HOUR = 3600

/** In an open transaction PostgreSQL's `now()` does not move, so both sides see one moment. */
let client: Client
let driver: Driver
let frozen: OriginalDatabase
let now: number

beforeEach(async () => {
  client = new Client({ connectionString: shared.database.url })
  await client.connect()
  await client.query('begin')
  const { rows } = await client.query("select date_part('epoch', now()) as now")
  now = roundHalfEven(Number(rows[0].now))
  driver = {
    name: 'frozen',
    query: async ({ text, values }) => (await client.query(text, [...values])).rows,
    withConnection: () => Promise.reject(new Error('nothing to create')),
  }
  frozen = { query: client.query.bind(client), connect: async () => ({ ...frozen, release() {} }) }
})
afterEach(async () => {
  await client.query('rollback')
  await client.end()
})

const key = 'abc'.repeat(12)

/** Leaves one session that was last used at this second, and gives its id. */
async function lastAccess(seconds: number): Promise<string> {
  await client.query('delete from wai_pg_sessions')
  const { rows } = await client.query(
    'insert into wai_pg_sessions (session_key, session_created_at, session_last_access) values ($1, 0, $2) returning id',
    [key, seconds],
  )
  await client.query(
    "insert into wai_pg_session_data (wai_pg_session, key, value) values ($1, 'k', 'v')",
    [rows[0].id],
  )
  return String(rows[0].id)
}

/** What the session holds, when it was last used, and which version of its row this is. */
async function stored(): Promise<{ at: number; row: string; entries: string[] }> {
  const { rows } = await client.query(
    `select session_last_access::int as at, ctid::text as row,
       array(select convert_from(key || '=' || value, 'UTF8') from wai_pg_session_data) as entries
     from wai_pg_sessions`,
  )
  return rows[0]
}

function ours(): WaiStore {
  return new WaiStore({ driver, timeout: '1h', migrate: 'off' })
}

function theirs(): OriginalSide {
  return new OriginalSide(frozen, { timeout: HOUR, clock: () => now })
}

async function left(): Promise<number> {
  const { rowCount } = await client.query('select from wai_pg_sessions')
  return Number(rowCount)
}

const proof = { id: '', secretHashes: [Buffer.from(key)] }
const lifetime = { idle: 3_600_000, purge: 3_600_000 }
const change = { userId: null, lifetime, key: Buffer.from('k') }

/** Every call that notes an access. Those that write would remove the entry. */
const accesses: [string, (id: string) => Promise<unknown>, string[]][] = [
  ['touch', (id) => ours().touch({ id, lifetime }), ['k=v']],
  ['save', (id) => ours().save({ ...change, id, written: [], deleted: [change.key] }), []],
  ['update', (id) => ours().update({ ...change, id, expected: Buffer.from('v'), value: null }), []],
  ['take', (id) => ours().take({ ...change, id }), []],
]

describe('the boundary second', () => {
  it.each([
    [-2, 'expired'],
    [-1, 'expired'],
    [0, 'live'],
    [1, 'live'],
  ])('a session %d seconds inside of its timeout is %s on both sides', async (inside, status) => {
    const id = await lastAccess(now - HOUR + inside)
    expect((await ours().load(proof)).status).toBe(status)
    const there = await theirs().open(key)
    expect(there.id === id).toBe(status === 'live')
  })

  it.each([
    [-1, 0],
    [0, 1],
  ])('a purge of either side leaves the same %d seconds inside', async (inside, remaining) => {
    await lastAccess(now - HOUR + inside)
    await ours().purge(10)
    expect(await left()).toBe(remaining)
    await lastAccess(now - HOUR + inside)
    await theirs().purgeOldSessions()
    expect(await left()).toBe(remaining)
  })

  it.each(accesses)(
    'a %s draws it at the same place, and changes nothing past it',
    async (_, access, left) => {
      await access(await lastAccess(now - HOUR))
      expect(await stored()).toMatchObject({ at: now, entries: left })
      const id = await lastAccess(now - HOUR - 1)
      const before = await stored()
      await access(id)
      expect(await stored()).toEqual(before)
    },
  )

  it('a count draws it at the same place', async () => {
    await lastAccess(now - HOUR)
    expect(await ours().count()).toEqual({ live: 1, expired: 0 })
    await lastAccess(now - HOUR - 1)
    expect(await ours().count()).toEqual({ live: 0, expired: 1 })
  })
})

describe('the clock', () => {
  it('goes to the nearest second, and halves to the even one', async () => {
    for (const [time, seconds] of [
      ['0.4', 0],
      ['0.5', 0],
      ['0.6', 1],
      ['1.5', 2],
      ['2.5', 2],
      ['3.5', 4],
      ['1795451080.5', 1795451080],
      ['1795451081.5', 1795451082],
      ['1795451081.499999', 1795451081],
    ] as const) {
      const sql = `select ${wholeSeconds(`to_timestamp(${time}::float8)`)}::text as s`
      const { rows } = await client.query(sql)
      expect([time, Number(rows[0].s)]).toEqual([time, seconds])
      expect(roundHalfEven(Number(time))).toBe(seconds)
    }
  })

  it('is written alike by both sides', async () => {
    const created = await ours().create({
      id: '',
      secretHash: Buffer.from(key),
      userId: null,
      lifetime: { idle: 3_600_000, purge: 3_600_000 },
      ownIdleTimeout: null,
      absolute: Number.POSITIVE_INFINITY,
      entries: [],
    })
    await theirs().open(null)
    const { rows } = await client.query(
      'select session_created_at::int as c, session_last_access::int as a from wai_pg_sessions',
    )
    expect(rows).toEqual([
      { c: now, a: now },
      { c: now, a: now },
    ])
    expect(created).toMatchObject({
      times: { createdAt: now * 1000, expiresAt: (now + HOUR) * 1000 + 500 },
    })
  })

  it.each(accesses)(
    'never moves an access back on a %s, although theirs may be ahead',
    async (_, access) => {
      await access(await lastAccess(now + 30))
      expect((await stored()).at).toBe(now + 30)
    },
  )

  it('leaves a row alone whose access was noted in the same second', async () => {
    const id = await lastAccess(now)
    const before = await stored()
    await ours().touch({ id, lifetime })
    expect(await stored()).toEqual(before)
  })
})

describe('an access', () => {
  it('is noted here in each second that has one, as there, and not twice', async () => {
    const there = await shared.original.open(null)
    await there.getNewCookie()
    const cookie = (await shared.rows())[0]?.session_key ?? ''
    const at = async (): Promise<number> =>
      Number((await shared.row(cookie))?.session_last_access ?? 0)
    await shared.elapse(2)
    const before = await at()
    const ann = shared.visitor(cookie)
    await holds(ann)
    await expect.poll(at).toBeGreaterThanOrEqual(before + 2)
    const version = async () =>
      (
        await shared.pool.query(
          'select xmin::text as x, session_last_access as at from wai_pg_sessions',
        )
      ).rows[0]
    const noted = await version()
    const many = shared.sessions()
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const exchange = many.open(`__Host-id=${cookie}`)
        await exchange.session.load()
        await exchange.commit()
      }),
    )
    await many.close()
    const after = await version()
    if (after.at === noted.at) expect(after.x).toBe(noted.x)
  })
})
