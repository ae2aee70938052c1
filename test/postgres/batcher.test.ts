import pg from 'pg'
import { PostgresStore, type PostgresStoreOptions } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Batcher } from '../../src/postgres/batcher.ts'
import { loadOperation } from '../../src/postgres/operations/load.ts'
import { saveOperation } from '../../src/postgres/operations/save.ts'
import { StatementRunner } from '../../src/postgres/statement-runner.ts'
import { resolveTableNames } from '../../src/postgres/table-names.ts'
import { Deadline } from '../../src/store/deadline.ts'
import {
  type Begun,
  begin,
  bytes,
  changeOf,
  contentOf,
  entry,
  inParallel,
  lifetime,
  sample,
} from '../../src/testing/store-contract/samples.ts'
import { openPostgresStore, type PostgresStoreHarness } from '../support/postgres-store.ts'
import { type GatedDriver, gatedDriver } from './gated-driver.ts'

let harness: PostgresStoreHarness

beforeAll(async () => {
  harness = await openPostgresStore()
  await harness.pool.query(
    `alter table sessions.session_data add constraint no_poison check (value <> 'poison')`,
  )
})
beforeEach(() => harness.pool.query('delete from sessions.session'))
afterAll(() => harness.dispose())

interface Gated extends GatedDriver {
  readonly store: PostgresStore
}

async function openGated(options: Partial<PostgresStoreOptions> = {}): Promise<Gated> {
  const gated = gatedDriver(fromPg(harness.pool))
  const store = new PostgresStore({ driver: gated.driver, migrate: 'off', ...options })
  await store.ready()
  gated.sent.length = 0
  return { ...gated, store }
}

function beginMany(count: number): Promise<Begun[]> {
  return inParallel(count, (n) => begin(harness.store, { entries: [entry('a', `${n}`)] }))
}

const proofOf = ({ id, secretHash }: Begun) => ({ id, secretHashes: [secretHash] })

const loadOf = (session: Begun) => ({ token: proofOf(session) })

function saveOf(session: Begun, value: string) {
  return changeOf(session, { written: [entry('a', value)] })
}

/** Another client's transaction that holds these sessions' rows. */
async function lockRows(sessions: readonly Begun[]): Promise<{ release(): Promise<void> }> {
  const client = new pg.Client({ connectionString: harness.database.url })
  await client.connect()
  await client.query('begin')
  const ids = sessions.map(({ id }) => id)
  await client.query('select from sessions.session where id = any ($1) for update', [ids])
  return { release: () => client.end() }
}

describe('a call that finds nothing under way', () => {
  test('leaves at once, alone, by its own statement', async () => {
    const [session] = await beginMany(1)
    const { store, operations } = await openGated()
    const answers: Promise<unknown>[] = []
    const calls = {
      load: () => store.load(proofOf(session!)),
      save: () => store.save(saveOf(session!, '1')),
      create: () => store.create(sample()),
      touch: () => store.touch({ id: session!.id, lifetime }),
    }
    for (const [n, call] of Object.values(calls).entries()) {
      answers.push(call())
      // It is sent before the call returns: no operation waits for company.
      expect(operations()).toHaveLength(n + 1)
    }
    await Promise.all(answers)
    expect(operations()).toEqual(Object.keys(calls))
  })

  test('goes alone however often it comes, one after the other', async () => {
    const [session] = await beginMany(1)
    const { store, operations } = await openGated()
    for (let n = 0; n < 5; n += 1) await store.load(proofOf(session!))
    expect(operations()).toEqual(Array(5).fill('load'))
  })
})

describe('touches that no caller waits for', () => {
  const patientTouch = (store: PostgresStore, { id }: Begun): Promise<void> =>
    store.touch({ id, lifetime, mayWait: true })

  test('are collected, though nothing is under way, and share a statement soon', async () => {
    const sessions = await beginMany(5)
    const { store, operations } = await openGated()
    const touches = sessions.map((session) => patientTouch(store, session))
    expect(operations()).toEqual([])
    await Promise.all(touches)
    expect(operations()).toEqual(['touch_many'])
  })

  test('go along with the next statement that a caller waits for', async () => {
    const [first, second, third, fourth] = await beginMany(4)
    const { store, operations, hold } = await openGated()
    const held = hold('touch')
    const urgent = store.touch({ id: first!.id, lifetime })
    await held.reached
    const collected = [patientTouch(store, second!), patientTouch(store, third!)]
    const awaited = store.touch({ id: fourth!.id, lifetime })
    held.release()
    await Promise.all([urgent, ...collected, awaited])
    expect(operations()).toEqual(['touch', 'touch_many'])
  })

  test('leave at once when as many wait as go together', async () => {
    const sessions = await beginMany(129)
    const { store, sent } = await openGated()
    await Promise.all(sessions.map((session) => patientTouch(store, session)))
    expect(sent.map(({ operation }) => operation)).toEqual(['touch_many', 'touch'])
  })

  test('leave by themselves when the statement they came for could not take them', async () => {
    const sessions = await beginMany(3)
    const { store, operations } = await openGated()
    // Afterwards the next touch counts as having company, and is gathered.
    await Promise.all(sessions.map(({ id }) => store.touch({ id, lifetime })))
    // Timers end in the order of their times: the store's own for these touches has ended before this one.
    await new Promise((resolve) => setTimeout(resolve, 50))
    const [session] = sessions
    await Promise.all([store.touch({ id: session!.id, lifetime }), patientTouch(store, session!)])
    expect(operations()).toEqual(['touch', 'touch_many', 'touch', 'touch'])
  })

  test('are waited for by close(), and noted', async () => {
    const [session] = await beginMany(1)
    const { store } = await openGated()
    const touch = store.touch({
      ...{ id: session!.id, mayWait: true },
      lifetime: { idle: 2 * lifetime.idle, purge: 2 * lifetime.purge },
    })
    await store.close()
    await touch
    const result = await harness.store.load(proofOf(session!))
    const record = result.status === 'live' ? result.record : null
    expect(record!.expiresAt - record!.lastAccessAt).toBe(2 * lifetime.idle)
  })

  test('leave at once, alone, when calls share no statements', async () => {
    const [session] = await beginMany(1)
    const { store, operations } = await openGated({ groupCommit: false })
    const touch = patientTouch(store, session!)
    expect(operations()).toEqual(['touch'])
    await touch
  })
})

describe('calls that come while one is under way', () => {
  test('share exactly one statement', async () => {
    const sessions = await beginMany(50)
    const { store, operations, hold } = await openGated()
    const first = hold('load')
    const loads = sessions.map((session) => store.load(proofOf(session)))
    expect(operations()).toEqual(['load'])
    first.release()
    for (const [n, result] of (await Promise.all(loads)).entries()) {
      const id = result.status === 'live' && result.record.id
      expect(id).toBe(sessions[n]!.id)
    }
    expect(operations()).toEqual(['load', 'load_many'])
  })

  test.each([
    ['save', (store: PostgresStore, session: Begun) => store.save(saveOf(session, 'new'))],
    ['create', (store: PostgresStore) => store.create(sample({ entries: [entry('b', '1')] }))],
    ['touch', (store: PostgresStore, { id }: Begun) => store.touch({ id, lifetime })],
  ] as const)('share one statement to %s', async (operation, call) => {
    const sessions = await beginMany(20)
    const { store, operations } = await openGated()
    await Promise.all(sessions.map((session) => call(store, session)))
    expect(operations()).toEqual([operation, `${operation}_many`])
  })

  test('join none that has been sent, and so see every save that was acknowledged', async () => {
    const [session, other] = await beginMany(2)
    const { store, operations, hold } = await openGated()
    const alone = hold('load')
    const early = [store.load(proofOf(other!)), store.load(proofOf(session!))]
    await alone.reached
    const shared = hold('load_many')
    early.push(store.load(proofOf(session!)))
    // No load waits long for a statement that is held up.
    await shared.reached
    await store.save(saveOf(session!, 'new'))
    const late = [contentOf(store, session!), contentOf(store, session!)]
    expect(operations()).toEqual(['load', 'load_many', 'save'])
    alone.release()
    shared.release()
    expect(await Promise.all(late)).toEqual([{ a: 'new' }, { a: 'new' }])
    await Promise.all(early)
    expect(operations()).toEqual(['load', 'load_many', 'save', 'load_many'])
  })

  test('go in batches of 128 at most', async () => {
    const sessions = await beginMany(300)
    const { store, operations } = await openGated()
    await Promise.all(sessions.map((session) => store.load(proofOf(session))))
    expect(operations()).toEqual(['load', 'load_many', 'load_many', 'load_many'])
  })

  test('go in batches of a size that both sides can bear', async () => {
    const sessions = await beginMany(40)
    const { store, operations, sent } = await openGated()
    const value = 'x'.repeat(200_000)
    await Promise.all(sessions.map((session) => store.save(saveOf(session, value))))
    // Hexadecimal digits of a mebibyte, of one value more, and of the rest.
    for (const { size } of sent) expect(size).toBeLessThan(2 * 1_048_576 + 500_000)
    expect(operations()).toContain('save_many')
    for (const session of sessions) expect((await contentOf(store, session)).a).toBe(value)
  })

  test('begin sessions in batches of a size that both sides can bear', async () => {
    const { store, operations, sent } = await openGated()
    const entries = [entry('a', 'x'.repeat(200_000))]
    await inParallel(40, () => store.create(sample({ entries })))
    for (const { size } of sent) expect(size).toBeLessThan(2 * 1_048_576 + 500_000)
    expect(operations()).toContain('create_many')
  })

  test('about one session all land, each in a statement of its own', async () => {
    const [session] = await beginMany(1)
    const { store, operations } = await openGated()
    const results = await inParallel(3, (n) =>
      store.save(changeOf(session!, { written: [entry(`key-${n}`, 'x')] })),
    )
    expect(results.every(({ status }) => status === 'saved')).toBe(true)
    expect(operations()).toEqual(['save', 'save', 'save'])
    expect(Object.keys(await contentOf(store, session!)).sort()).toEqual([
      'a',
      'key-0',
      'key-1',
      'key-2',
    ])
  })
})

describe('a shared statement', () => {
  test('that one bad value poisons fails for that one alone', async () => {
    const sessions = await beginMany(10)
    const { store, operations } = await openGated()
    const results = await Promise.allSettled(
      sessions.map((session, n) => store.save(saveOf(session, n === 5 ? 'poison' : 'good'))),
    )
    const refused = results.flatMap((result, n) => (result.status === 'rejected' ? [n] : []))
    expect(refused).toEqual([5])
    expect(results[5]).toMatchObject({ reason: { code: 'ERR_STORE', sqlState: '23514' } })
    for (const [n, session] of sessions.entries()) {
      expect(await contentOf(harness.store, session)).toEqual({ a: n === 5 ? '5' : 'good' })
    }
    expect(operations().slice(0, 11)).toEqual(['save', 'save_many', ...Array(9).fill('save')])
  })

  test('that one bad first value poisons stores all the others', async () => {
    const { store } = await openGated()
    const newcomers = Array.from({ length: 10 }, (_, n) =>
      sample({ entries: [entry('a', n === 5 ? 'poison' : 'good')] }),
    )
    const results = await Promise.allSettled(newcomers.map((session) => store.create(session)))
    expect(results.map(({ status }) => status === 'fulfilled')).toEqual(
      newcomers.map((_, n) => n !== 5),
    )
    expect(await harness.store.count()).toEqual({ live: 9, expired: 0 })
  })

  test('tells each session that ended of its end, and the others of their save', async () => {
    const sessions = await beginMany(10)
    const gone = sessions.filter((_, n) => n % 3 === 1)
    for (const { id } of gone) await harness.store.destroy({ id })
    const { store } = await openGated()
    const results = await Promise.all(sessions.map((session) => store.save(saveOf(session, 'x'))))
    expect(results.map(({ status }) => status)).toEqual(
      sessions.map((session) => (gone.includes(session) ? 'gone' : 'saved')),
    )
  })

  test('whose connection is lost leaves each of its saves in doubt, and says so', async () => {
    const sessions = await beginMany(5)
    const { store, operations } = await openGated()
    const client = new pg.Client({ connectionString: harness.database.url })
    await client.connect()
    await client.query('begin; lock table sessions.session in exclusive mode')
    const saves = Promise.allSettled(sessions.map((session) => store.save(saveOf(session, 'x'))))
    const waiting = `from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`
    await expect.poll(async () => (await harness.pool.query(`select ${waiting}`)).rowCount).toBe(2)
    expect(operations()).toEqual(['save', 'save_many'])
    await harness.pool.query(`select pg_terminate_backend(pid) ${waiting}`)
    for (const result of await saves) {
      expect(result).toMatchObject({
        reason: { code: 'ERR_STORE_UNAVAILABLE', outcome: 'unknown' },
      })
    }
    await client.end()
    for (const [n, session] of sessions.entries()) {
      expect(await contentOf(store, session)).toEqual({ a: `${n}` })
    }
  })
})

describe('a session that another client has locked', () => {
  test('delays no other session in its batch, and is saved when it is free', async () => {
    const sessions = await beginMany(20)
    const { store, operations } = await openGated()
    const lock = await lockRows([sessions[7]!])
    const saves = sessions.map((session) => store.save(saveOf(session, 'new')))
    const held = saves.splice(7, 1)
    await Promise.all(saves)
    expect(operations()).toEqual(['save', 'save_many', 'save'])
    await lock.release()
    expect(await held[0]).toMatchObject({ status: 'saved' })
    expect(await contentOf(store, sessions[7]!)).toEqual({ a: 'new' })
  })

  test('delays no session behind it in the queue', async () => {
    const [locked, ...others] = await beginMany(20)
    const { store } = await openGated()
    const lock = await lockRows([locked!])
    const held = store.save(saveOf(locked!, 'new'))
    for (let round = 0; round < 3; round += 1) {
      await Promise.all(others.map((session) => store.save(saveOf(session, `${round}`))))
    }
    await lock.release()
    expect(await held).toMatchObject({ status: 'saved' })
  })

  test('is given up at the deadline of its save, as others are', async () => {
    const sessions = await beginMany(5)
    const { store } = await openGated({ deadline: '300ms' })
    const lock = await lockRows([sessions[2]!])
    const results = await Promise.allSettled(
      sessions.map((session) => store.save(saveOf(session, 'new'))),
    )
    expect(results.map(({ status }) => status === 'fulfilled')).toEqual(
      sessions.map((_, n) => n !== 2),
    )
    expect(results[2]).toMatchObject({ reason: { code: 'ERR_STORE_UNAVAILABLE' } })
    await lock.release()
  })

  test('costs a touch nothing: it is being used already', async () => {
    const sessions = await beginMany(5)
    const { store, operations } = await openGated()
    const lock = await lockRows([sessions[2]!])
    await Promise.all(sessions.map(({ id }) => store.touch({ id, lifetime })))
    expect(operations()).toEqual(['touch', 'touch_many'])
    await lock.release()
  })
})

describe('saves that go together while a load is under way', () => {
  /** Loads and saves as the store has them, with a patience of their own. */
  async function openPair(patience: number) {
    const gated = gatedDriver(fromPg(harness.pool))
    const runner = new StatementRunner(gated.driver, 20_000)
    const names = resolveTableNames()
    const limits = { slots: 1, mostSlots: 8, patience, batch: 128, batchBytes: 1_048_576 }
    const loads = new Batcher(runner, loadOperation(names), limits)
    const saves = new Batcher(runner, saveOperation(names), limits, loads)
    // After a statement that was shared, the next calls count as having company.
    const before = await beginMany(3)
    await Promise.all(before.map((session) => saves.run(saveOf(session, '0'))))
    gated.sent.length = 0
    return { ...gated, loads, saves }
  }

  const endOfTurn = () => new Promise((resolve) => setImmediate(resolve))

  test('go with those who are loading', async () => {
    const [loading, ...saving] = await beginMany(3)
    const { loads, saves, hold, operations } = await openPair(10_000)
    const held = hold('load')
    const loadedAndSaved = loads
      .run(loadOf(loading!))
      .then(() => saves.run(saveOf(loading!, 'after')))
    await held.reached
    const saved = saving.map((session) => saves.run(saveOf(session, 'new')))
    await endOfTurn()
    await endOfTurn()
    expect(operations()).toEqual(['load'])
    held.release()
    await Promise.all([loadedAndSaved, ...saved])
    expect(operations()).toEqual(['load', 'save_many'])
  })

  test('do not wait for a load that is held up', async () => {
    const [loading, ...saving] = await beginMany(3)
    const { loads, saves, hold, operations } = await openPair(10)
    const held = hold('load')
    const loaded = loads.run(loadOf(loading!))
    await held.reached
    await Promise.all(saving.map((session) => saves.run(saveOf(session, 'new'))))
    await saves.run(saveOf(saving[0]!, 'newer'))
    expect(operations()).toEqual(['load', 'save_many', 'save'])
    held.release()
    await loaded
  })

  test('wait for no load that comes after them', async () => {
    const [first, second, ...saving] = await beginMany(4)
    const { loads, saves, hold, operations } = await openPair(10_000)
    const [early, late] = [hold('load'), hold('load')]
    const loaded = [loads.run(loadOf(first!))]
    await early.reached
    const saved = saving.map((session) => saves.run(saveOf(session, 'new')))
    await endOfTurn()
    early.release()
    await loaded[0]
    loaded.push(loads.run(loadOf(second!)))
    await late.reached
    await Promise.all(saved)
    expect(operations()).toEqual(['load', 'load', 'save_many'])
    late.release()
    await Promise.all(loaded)
  })
})

describe('the deadline', () => {
  const deadline = 600

  /** Loads that share one slot, so that other calls wait until it is free. */
  function openNarrow() {
    const gated = gatedDriver(fromPg(harness.pool))
    const runner = new StatementRunner(gated.driver, deadline)
    const names = resolveTableNames()
    const limits = { slots: 1, mostSlots: 1, patience: 10, batch: 128, batchBytes: 1000 }
    return { ...gated, runner, loads: new Batcher(runner, loadOperation(names), limits) }
  }

  test('of one call does not cut short the time of another that shares its statement', async () => {
    const [first, early, late] = await beginMany(3)
    const { loads, hold, operations } = openNarrow()
    const slot = hold('load')
    const shared = hold('load_many')
    const answers = [loads.run(loadOf(first!)), loads.run(loadOf(early!))]
    await new Promise((resolve) => setTimeout(resolve, deadline / 2))
    const patient = loads.run(loadOf(late!))
    slot.release()
    await answers[0]
    await shared.reached
    await expect(answers[1]).rejects.toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
      outcome: 'unknown',
    })
    shared.release()
    expect(await patient).toMatchObject({ status: 'live' })
    expect(operations()).toEqual(['load', 'load_many'])
  })

  test('bounds every call, however many wait for a database that does not answer', async () => {
    const sessions = await beginMany(20)
    const { loads, hold } = openNarrow()
    hold('load')
    for (let n = 0; n < 5; n += 1) hold('load_many')
    const begin = performance.now()
    const answers = sessions.map((session) => loads.run(loadOf(session)))
    for (const answer of await Promise.allSettled(answers)) {
      expect(answer).toMatchObject({ reason: { code: 'ERR_STORE_UNAVAILABLE' } })
    }
    expect(performance.now() - begin).toBeLessThan(deadline + 2000)
  })

  test('that has passed before a statement could be sent keeps it from being sent', async () => {
    const { runner, sent } = openNarrow()
    const { batch } = loadOperation(resolveTableNames())
    const late = runner.ask(batch, [], new Deadline(0))
    await expect(late).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', outcome: 'none' })
    expect(sent).toEqual([])
  })
})

describe('closing', () => {
  test('waits for what is under way and what is queued, and takes nothing new', async () => {
    const sessions = await beginMany(10)
    const { store, hold } = await openGated()
    const first = hold('save')
    const saves = sessions.map((session) => store.save(saveOf(session, 'new')))
    let isClosed = false
    const closing = store.close().then(() => {
      isClosed = true
    })
    await expect(store.load(proofOf(sessions[0]!))).rejects.toMatchObject({
      code: 'ERR_SESSIONS_CLOSED',
    })
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    expect(isClosed).toBe(false)
    first.release()
    await closing
    const results = await Promise.all(saves)
    expect(results.every(({ status }) => status === 'saved')).toBe(true)
    for (const session of sessions) {
      expect(await contentOf(harness.store, session)).toEqual({ a: 'new' })
    }
  })
})

describe('turned off', () => {
  test('every call goes by its own statement', async () => {
    const sessions = await beginMany(10)
    const { store, operations } = await openGated({ groupCommit: false })
    await Promise.all(sessions.map((session) => store.load(proofOf(session))))
    await Promise.all(sessions.map((session) => store.save(saveOf(session, 'new'))))
    expect(operations()).toEqual([...Array(10).fill('load'), ...Array(10).fill('save')])
  })
})

describe('without prepared statements', () => {
  test('calls share statements too, and the server keeps none', async () => {
    const pool = new pg.Pool({ connectionString: harness.database.url, max: 1 })
    const store = new PostgresStore({ driver: fromPg(pool, { prepare: false }), migrate: 'off' })
    const newcomers = Array.from({ length: 20 }, (_, n) =>
      sample({ entries: [entry('a', `${n}`)] }),
    )
    await Promise.all(newcomers.map((session) => store.create(session)))
    await Promise.all(
      newcomers.map((session) =>
        store.save(changeOf(session, { written: [entry('b', 'x')], deleted: [bytes('a')] })),
      ),
    )
    await Promise.all(newcomers.map(({ id }) => store.touch({ id, lifetime })))
    const contents = await Promise.all(newcomers.map((session) => contentOf(store, session)))
    expect(contents).toEqual(newcomers.map(() => ({ b: 'x' })))
    expect((await pool.query('select name from pg_prepared_statements')).rows).toEqual([])
    await pool.end()
  })
})
