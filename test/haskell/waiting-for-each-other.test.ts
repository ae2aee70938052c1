import { WaiStore } from 'pg-sessions/haskell'
import { fromPg } from 'pg-sessions/pg'
import { describe, expect, it } from 'vitest'
import { holds, shareDatabase } from './shared-database.ts'

/** Statements of both sides that meet on one row, of which one has to wait. */

const shared = shareDatabase()

/** Resolves once a transaction waits for a lock in this database. */
async function transactionWaits(): Promise<void> {
  await expect
    .poll(async () => {
      const { rows } = await shared.pool.query(
        "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      )
      return rows.length
    })
    .toBeGreaterThan(0)
}

async function begin(): Promise<{ key: string; id: string }> {
  const request = await shared.original.open(null)
  await request.insert('user', 'nobody')
  return { key: await request.getNewCookie(), id: request.id }
}

describe('a login on their side that has not committed', () => {
  it.each(['set', 'update', 'take', 'rotate', 'clear'] as const)(
    'has our %s wait, and then land nowhere',
    async (act) => {
      const { key, id } = await begin()
      const ann = shared.visitor(key)
      const ours = ann.open()
      await ours.session.load()
      const theirs = await shared.pool.connect()
      try {
        await theirs.query('BEGIN')
        await theirs.query(
          'UPDATE wai_pg_sessions SET session_invalidate_key=TRUE WHERE session_key=$1',
          [key],
        )
        await theirs.query('DELETE FROM wai_pg_session_data WHERE wai_pg_session=$1', [id])
        const acts = {
          set: () => ours.session.set('user', 'late'),
          update: () => ours.session.update('user', (user) => `${user}, late`),
          take: () => ours.session.take('user'),
          rotate: () => ours.session.rotate(),
          clear: () => ours.session.clear(),
        }
        const attempt = Promise.resolve(acts[act]()).then(() => ours.commit())
        const outcome = expect(attempt).rejects.toMatchObject({ code: 'ERR_SESSION_GONE' })
        await transactionWaits()
        await theirs.query('COMMIT')
        await outcome
      } finally {
        theirs.release()
      }
      expect(ann.token).toBe(key)
      expect(await shared.rows()).toMatchObject([
        { id, session_key: key, session_invalidate_key: true },
      ])
      expect(await holds(ann)).toEqual({})
    },
  )

  it('has our touch pass it by, without waiting', async () => {
    const { key, id } = await begin()
    await shared.elapse(60)
    const before = (await shared.row(key))?.session_last_access
    const theirs = await shared.pool.connect()
    const store = new WaiStore({ driver: fromPg(shared.pool), timeout: '1h', migrate: 'off' })
    try {
      await theirs.query('BEGIN')
      await theirs.query('SELECT FROM wai_pg_sessions WHERE session_key=$1 FOR UPDATE', [key])
      // A statement that waits for the row fails at its deadline.
      await store.touch({ id, lifetime: { idle: 3_600_000, purge: 3_600_000 } })
      expect((await shared.row(key))?.session_last_access).toBe(before)
    } finally {
      await theirs.query('ROLLBACK')
      theirs.release()
    }
  })
})

it('both sides write one new key while we rotate, and each is told how it went', async () => {
  for (let round = 0; round < 30; round += 1) {
    const { key, id } = await begin()
    const ann = shared.visitor(key)
    const ours = ann.open()
    await ours.session.load()
    ours.session.set('fresh', 'ours')
    ours.session.rotate()
    const theirs = await shared.original.open(key)
    const [here, there] = await Promise.allSettled([
      ours.commit(),
      theirs.insert('fresh', 'theirs'),
    ])
    // At worst PostgreSQL sees a deadlock and refuses one of both; ours is tried again then.
    expect(here.status).toBe('fulfilled')
    if (there.status === 'rejected') expect(there.reason).toMatchObject({ code: '40P01' })
    expect(await shared.rows()).toMatchObject([{ id, session_key: ann.token }])
    expect(['ours', 'theirs']).toContain((await holds(ann)).fresh)
    await shared.pool.query('delete from wai_pg_sessions')
  }
})

it('a purge of theirs that has not committed is waited for, and its session is gone then', async () => {
  const { key } = await begin()
  const ours = shared.visitor(key).open()
  await ours.session.load()
  const theirs = await shared.pool.connect()
  try {
    await theirs.query('BEGIN')
    await theirs.query('DELETE FROM wai_pg_sessions WHERE session_last_access<$1', [9999999999])
    ours.session.set('late', 'x')
    const outcome = expect(ours.commit()).rejects.toMatchObject({ code: 'ERR_SESSION_GONE' })
    await transactionWaits()
    await theirs.query('COMMIT')
    await outcome
  } finally {
    theirs.release()
  }
  expect(await shared.rows()).toEqual([])
})
