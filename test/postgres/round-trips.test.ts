import pg from 'pg'
import { createSessions, PostgresStore, type Sessions } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { startFaultProxy } from 'pg-sessions/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { elapse, openPostgresStore, type PostgresStoreHarness } from '../support/postgres-store.ts'
import { recordingDriver } from './recording-driver.ts'
import { type RoundTrips, roundTrips, roundTripsAcross, type Visit } from './round-trips.ts'

let harness: PostgresStoreHarness

beforeAll(async () => {
  harness = await openPostgresStore()
  await harness.pool.query('create table account (id text primary key, name text)')
  await harness.pool.query(`insert into account values ('ann', 'Ann')`)
})
beforeEach(() => harness.pool.query('delete from sessions.session'))
afterAll(() => harness.dispose())

interface Recorded {
  readonly sessions: Sessions<Visit>
  readonly sent: string[]
}

function openRecorded(groupCommit: boolean, who?: RoundTrips['who']): Recorded {
  const { driver, sent } = recordingDriver(fromPg(harness.pool))
  const user =
    who === 'a joined user' ? { select: 'id, name', from: 'account', key: 'id' } : undefined
  const store = new PostgresStore({ driver, migrate: 'off', groupCommit, user })
  return { sessions: createSessions<Visit>({ store, log: false }), sent }
}

/** The `Cookie` field that such a visitor sends. */
async function cookieOf(who: RoundTrips['who'], sessions: Sessions<Visit>): Promise<string | null> {
  if (who === 'a new visitor') return null
  if (who === 'a forger') return '__Host-id=none-of-ours'
  const { session, ...exchange } = open(sessions, null)
  session.set('basket', who === 'a hoarder' ? Array(1000).fill('an apple') : ['apple'])
  if (who === 'a user' || who === 'a joined user') await session.signIn('ann')
  else session.set('notice', 'hello')
  const { setCookies } = await exchange.commit()
  if (who === 'a returning visitor') await elapse(harness.pool, 120_000)
  if (who === 'a stranger') await harness.pool.query('delete from sessions.session')
  return setCookies[0]?.split(';')[0] ?? null
}

function open(sessions: Sessions<Visit>, cookie: string | null) {
  const exchange = sessions.open(cookie)
  return { session: exchange.session, commit: () => exchange.commit() }
}

describe.each([
  ['with shared statements', true],
  ['with every call by itself', false],
])('%s', (_, groupCommit) => {
  test.each(roundTrips)('$who $does: $statements', async ({ who, request, statements }) => {
    const { sessions, sent } = openRecorded(groupCommit, who)
    const cookie = await cookieOf(who, sessions)
    sent.length = 0
    const { session, commit } = open(sessions, cookie)
    await request(session)
    await commit()
    // What goes on beside the response is waited for.
    await sessions.close()
    expect(sent).toEqual(statements)
  })

  test.each(roundTripsAcross)('$call: $statements', async ({ before, make, statements }) => {
    const { sessions, sent } = openRecorded(groupCommit)
    const id = (await before?.(sessions)) ?? ''
    sent.length = 0
    await make(sessions, id)
    await sessions.close()
    expect(sent).toEqual(statements)
  })
})

test('tables that are there cost two reads at the first call of a process, and none after it', async () => {
  const { driver, sent } = recordingDriver(fromPg(harness.pool))
  const sessions = createSessions({ database: driver, log: false })
  await Promise.all([sessions.count(), sessions.count(), sessions.ready()])
  // `ready` also asks which database it is, so that `sessions.in` has nothing to ask.
  const identity = ['database_identity']
  expect(sent).toEqual(['survey_tables', 'read_schema_versions', 'count', 'count', ...identity])
})

test('a statement is one round trip: the client waits for the server once for each', async () => {
  await using proxy = await startFaultProxy(harness.database.url)
  const pool = new pg.Pool({ connectionString: proxy.url, max: 1 })
  const { driver, sent } = recordingDriver(fromPg(pool))
  const store = new PostgresStore({ driver, migrate: 'off' })
  const sessions = createSessions<Visit>({ store, log: false })
  const cookie = await cookieOf('a visitor', sessions)

  // With each of these messages a client hands over to the server: Sync, simple query, flush.
  const handovers: string[] = []
  proxy.onMessage(({ from, type }) => {
    if (from === 'client' && /^[SQH]$/.test(type)) handovers.push(type)
  })
  sent.length = 0
  for (const { request } of roundTrips.filter(({ who }) => who === 'a visitor')) {
    const { session, commit } = open(sessions, cookie)
    await request(session)
    await commit().catch(() => {})
  }
  expect(sent.length).toBeGreaterThan(10)
  expect(handovers).toEqual(sent.map(() => 'S'))
  await pool.end()
})
