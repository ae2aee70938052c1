import pg from 'pg'
import { createSessions } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { expect, test } from 'vitest'
import { startOwnServer } from '../support/own-server.ts'
import { cookieOf, userOf } from './visitors.ts'

/** The size of the queue is a setting since PostgreSQL 17; before, it takes 8 GB to fill one. */
const SMALLEST_QUEUE = '64'

test('sessions end and commits succeed while the queue of notifications is full', async (context) => {
  const server = await startOwnServer({ max_notify_queue_pages: SMALLEST_QUEUE }).catch(() => null)
  if (server === null) return context.skip()
  await using _ = server
  const pool = new pg.Pool({ connectionString: server.url, max: 4 })
  const sessions = createSessions({ database: fromPg(pool), log: false })
  const [ann, bob] = [await cookieOf(sessions, 'ann'), await cookieOf(sessions, 'bob')]

  // A listener in an open transaction keeps all that is sent.
  const blocked = new pg.Client({ connectionString: server.url })
  await blocked.connect()
  await blocked.query('listen anything')
  await blocked.query('begin; select 1')
  const fill = async (): Promise<never> => {
    for (let count = 0; ; count += 1) {
      await pool.query('select pg_notify($1, $2)', ['anything', `${count}`.padEnd(7000)])
    }
  }
  await expect(fill()).rejects.toMatchObject({ code: '54000' })

  const client = await pool.connect()
  await client.query('begin')
  expect(await sessions.in(client).destroyByUser('ann')).toBe(1)
  await client.query('commit')
  client.release()
  expect(await userOf(sessions, ann)).toBeNull()
  expect(await sessions.destroyByUser('bob')).toBe(1)
  expect(await userOf(sessions, bob)).toBeNull()

  await blocked.end()
  await sessions.close()
  await pool.end()
})
