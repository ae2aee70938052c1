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

async function lastAccess(seconds: number): Promise<void> {
  await client.query('delete from wai_pg_sessions')
  await client.query(
    'insert into wai_pg_sessions (session_key, session_created_at, session_last_access) values ($1, 0, $2)',
    [key, seconds],
  )
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

describe('the boundary second', () => {
  it.each([
    [-2, 'expired'],
    [-1, 'expired'],
    [0, 'live'],
    [1, 'live'],
  ])('a session %d seconds inside of its timeout is %s on both sides', async (inside, status) => {
    await lastAccess(now - HOUR + inside)
    expect((await ours().load(proof)).status).toBe(status)
    const { rows } = await client.query('select id from wai_pg_sessions')
    const id = String(rows[0].id)
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

  it('every call draws it at the same place, and none revives what is past it', async () => {
    const lifetime = { idle: 3_600_000, purge: 3_600_000 }
    for (const [inside, isLive] of [
      [0, true],
      [-1, false],
    ] as const) {
      const calls = {
        touch: (id: string) => ours().touch({ id, lifetime }),
        save: (id: string) => ours().save({ id, userId: null, lifetime, written: [], deleted: [] }),
        update: (id: string) => {
          const expected = { expected: null, value: null }
          return ours().update({ id, userId: null, lifetime, key: Buffer.from('k'), ...expected })
        },
        take: (id: string) => ours().take({ id, userId: null, lifetime, key: Buffer.from('k') }),
      }
      for (const [name, call] of Object.entries(calls)) {
        await lastAccess(now - HOUR + inside)
        const { rows } = await client.query('select id from wai_pg_sessions')
        await call(String(rows[0].id))
        const after = await client.query('select session_last_access as at from wai_pg_sessions')
        expect(Number(after.rows[0].at), name).toBe(isLive ? now : now - HOUR + inside)
      }
      await lastAccess(now - HOUR + inside)
      expect(await ours().count()).toEqual(
        isLive ? { live: 1, expired: 0 } : { live: 0, expired: 1 },
      )
    }
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

  it('never moves an access back, although theirs may be ahead', async () => {
    await lastAccess(now + 30)
    await ours().touch({ id: String((await loaded()).id), lifetime: { idle: 1, purge: 1 } })
    expect((await loaded()).lastAccessAt).toBe((now + 30) * 1000)
  })
})

async function loaded() {
  const result = await ours().load(proof)
  if (result.status !== 'live') throw new Error(result.status)
  return result.record
}

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
