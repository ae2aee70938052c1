import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { PostgresStore } from 'pg-sessions'
import type { Driver } from 'pg-sessions/driver'
import { fromPg } from 'pg-sessions/pg'
import type { SessionStore } from 'pg-sessions/store'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  begin,
  changeOf,
  contentOf,
  entry,
  inParallel,
  lifetime,
  rotation,
  sample,
  statusOf,
} from '../../src/testing/store-contract/samples.ts'
import { everyStatement } from '../postgres/every-statement.ts'
import { openPostgresStore, type PostgresStoreHarness } from '../support/postgres-store.ts'
import { clients, everyClient, type OpenClient } from './clients.ts'

let harness: PostgresStoreHarness
let store: SessionStore

beforeAll(async () => {
  harness = await openPostgresStore()
  store = harness.store
  // The server raises the errors that are asked for, one at each update of a session.
  await harness.pool.query(`
    create table trouble (n serial, code text);
    create function raise_trouble() returns trigger language plpgsql as $$
      declare due text;
      begin
        select code into due from trouble limit 1;
        if due is not null then raise exception using errcode = due; end if;
        return new;
      end $$;
    create trigger trouble before update on sessions.session
      for each row execute function raise_trouble()`)
})
beforeEach(() => harness.pool.query('truncate trouble; delete from sessions.session'))
afterAll(() => harness.dispose())

test.each(['repeatable read', 'serializable'])(
  'a server whose transactions are %s loses no change and refuses none',
  async (level) => {
    const pool = new pg.Pool({
      connectionString: harness.database.url,
      options: `-c default_transaction_isolation=${level.replace(' ', '\\ ')}`,
    })
    const strict = new PostgresStore({ driver: fromPg(pool), migrate: 'off', groupCommit: false })
    const session = await begin(strict)
    const written = (n: number) => [entry(`key-${n}`, 'x')]
    await inParallel(16, (n) => strict.save(changeOf(session, { written: written(n) })))
    expect(Object.keys(await contentOf(strict, session))).toHaveLength(16)
    await pool.end()
  },
)

test('every operation outlasts collisions that play at each of its statements', async () => {
  const met = new Map<string, number>()
  const texts = await everyStatement(harness.pool, {}, ({ name }) => {
    const tries = (met.get(name) ?? 0) + 1
    met.set(name, tries)
    const code = tries % 2 === 0 ? '40001' : '40P01'
    if (tries <= 3) throw Object.assign(new Error('played'), { code })
  })
  expect(texts.size).toBeGreaterThan(20)
  expect(met.size).toBe(texts.size)
  for (const tries of met.values()) expect(tries).toBeGreaterThan(3)
})

/** A store that notes the errors of its statements, also of those that it tries again. */
function notingStore(driver: Driver): { store: SessionStore; codes: unknown[] } {
  const codes: unknown[] = []
  const query: Driver['query'] = (statement, options) =>
    driver.query(statement, options).catch((error: unknown) => {
      codes.push((error as { code?: unknown }).code)
      throw error
    })
  return { store: new PostgresStore({ migrate: 'off', driver: { ...driver, query } }), codes }
}

/** Locks a session until the returned function is called. */
async function lock(id: string | undefined): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: harness.database.url })
  await client.connect()
  await client.query('begin')
  await client.query('select from sessions.session where id = $1 for update', [id])
  return async () => {
    await client.query('commit')
    await client.end()
  }
}

test('two calls that end sessions of a user lock them in one order, wherever they lie', async () => {
  const { pool } = harness
  const asTheyLie = async (): Promise<string[]> => {
    const { rows } = await pool.query('select id from sessions.session order by ctid')
    return rows.map(({ id }) => id)
  }
  const expectWaiting = (count: number): Promise<void> =>
    expect
      .poll(
        async () => {
          const { rows } = await pool.query(
            `select distinct pid from pg_locks join pg_stat_activity using (pid)
           where datname = current_database() and not granted`,
          )
          return rows.length
        },
        { timeout: 15_000 },
      )
      .toBe(count)
  const { store: noting, codes } = notingStore(fromPg(pool))
  const [first = '', moved, last] = [1, 2, 3].map(() => randomUUID()).sort()
  for (const id of [first, moved, last])
    await store.create({ ...sample({ userId: 'ann' }), id: id ?? '' })

  const releaseFirst = await lock(first)
  const all = noting.destroyByUser('ann', [])
  await expectWaiting(1)
  // The call above has seen it before the last, and the one below sees it behind.
  while ((await asTheyLie()).at(-1) !== moved) {
    const move = `update sessions.session set purge_at = purge_at + '1 s' where id = $1`
    await pool.query(move, [moved])
  }
  const releaseLast = await lock(last)
  const others = noting.destroyByUser('ann', [first])
  await expectWaiting(2)
  await releaseFirst()
  await expectWaiting(2)
  await releaseLast()
  expect((await Promise.all([all, others])).flat().sort()).toEqual([first, moved, last].sort())
  expect(codes).toEqual([])
})

describe.each(clients(['pg'], everyClient))('with %s', (_, client) => {
  let opened: OpenClient

  beforeAll(async () => {
    opened = await client.open(harness.database.url)
  })
  afterAll(() => opened[Symbol.asyncDispose]())

  /** Counts how often a statement is tried, and ends the trouble before the `last` try. */
  function countingStore(last: number): { store: SessionStore; tries(): number } {
    const { driver } = opened
    let tries = 0
    const counting = new PostgresStore({
      migrate: 'off',
      deadline: '1s',
      driver: {
        ...driver,
        async query(statement, options) {
          tries += 1
          if (tries === last) await harness.pool.query('truncate trouble')
          return driver.query(statement, options)
        },
      },
    })
    return { store: counting, tries: () => tries }
  }

  test.each(['40001', '40P01', '55P03'])(
    'a save that the server gave up with %s is tried again',
    async (code) => {
      const session = await begin(store)
      await harness.pool.query('insert into trouble (code) values ($1)', [code])
      const { store: counting, tries } = countingStore(3)
      const result = await counting.save(changeOf(session, { written: [entry('a', '1')] }))
      expect(result.status).toBe('saved')
      expect(tries()).toBe(3)
      expect(await contentOf(store, session)).toEqual({ a: '1' })
    },
  )

  test('a collision that does not end is told at the deadline, with nothing written', async () => {
    const session = await begin(store, { entries: [entry('a', '1')] })
    await harness.pool.query(`insert into trouble (code) values ('40001')`)
    const { store: counting, tries } = countingStore(Number.POSITIVE_INFINITY)
    await expect(
      counting.save(changeOf(session, { written: [entry('a', '2')] })),
    ).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', sqlState: '40001', outcome: 'none' })
    expect(tries()).toBeGreaterThan(3)
    expect(await contentOf(store, session)).toEqual({ a: '1' })
  })

  test('what the server refuses for good is not tried again', async () => {
    const session = await begin(store)
    await harness.pool.query(`insert into trouble (code) values ('P0001')`)
    const { store: counting, tries } = countingStore(Number.POSITIVE_INFINITY)
    await expect(counting.save(changeOf(session))).rejects.toMatchObject({
      code: 'ERR_STORE',
      sqlState: 'P0001',
    })
    expect(tries()).toBe(1)
  })

  test('signing a user out everywhere beside everything else meets no deadlock', async () => {
    const { store: busy, codes } = notingStore(opened.driver)
    const users = ['ann', 'bob']
    for (let round = 0; round < 5; round += 1) {
      const sessions = await inParallel(40, (n) =>
        begin(busy, { userId: users[n % 2] ?? null, entries: [entry('a', '1')] }),
      )
      const shuffled = sessions.toSorted(() => Math.random() - 0.5)
      await Promise.all([
        ...shuffled.map((session) => busy.save(changeOf(session, { written: [entry('a', '2')] }))),
        ...shuffled.map(({ id }) => busy.touch({ id, lifetime })),
        ...users.flatMap((user) => [1, 2, 3].map(() => busy.destroyByUser(user, []))),
        ...shuffled.map((session) =>
          busy.save(changeOf(session, { credentials: rotation(session.secretHash) })),
        ),
        ...shuffled.map((session) =>
          busy.replace({ ...session, secretHashes: [session.secretHash] }, sample()),
        ),
        ...shuffled.slice(0, 10).map(({ id }) => busy.destroy({ id })),
        ...[1, 2, 3].map(() => busy.purge(1000)),
      ])
      for (const session of sessions) expect(await statusOf(busy, session)).toBe('unknown')
    }
    expect(codes).toEqual([])
  })
})
