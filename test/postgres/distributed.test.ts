import { PostgresStore } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { begin, HOUR, inParallel } from '../../src/testing/store-contract/samples.ts'
import { openPostgresStore, type PostgresStoreHarness } from '../support/postgres-store.ts'
import { everyStatement, OF_ALL } from './every-statement.ts'
import { operationOf } from './recording-driver.ts'

/*
 * The statements for distributed tables, on one server: what Citus refuses is told from their text. The store
 * contract runs with them in test/store/postgres-store-alone.test.ts.
 */

let harness: PostgresStoreHarness
let statements: ReadonlyMap<string, string>

beforeAll(async () => {
  harness = await openPostgresStore()
  statements = await everyStatement(harness.pool, { distributed: true })
})
afterAll(() => harness.dispose())

/** Each as Citus refuses it, in words of its errors. */
const refused: readonly (readonly [reason: string, form: RegExp])[] = [
  [
    'cannot handle unplanned sub-select',
    /(?:update|delete from) "sessions"\.(?:(?!\),\n).)*\(select \$\d+::text::\w+\[\]\)/s,
  ],
  [
    'cannot handle unplanned sub-select',
    /(?:update|delete from) "sessions"\.(?:(?!\),\n).)*\bunnest\(/s,
  ],
  [
    'STABLE functions in UPDATE queries cannot be called with column references',
    /update "sessions"\.(?:(?!\),\n).)*s\.\w+_(?:at|until) [-+] /s,
  ],
  ['columns of a query over several servers', /select from "sessions"/],
  ['FOR UPDATE/SHARE on rows of several servers', /skip locked|nowait/i],
  ['cannot handle unplanned sub-select', /= any \(array\(\s*select/i],
  ['unrecognized node type', /delete from[^;]*?key = any \(\(select/i],
  ['functions in the SET clause must not be VOLATILE', /clock_timestamp|gen_random_uuid/i],
  ['non-IMMUTABLE functions in CASE or COALESCE', /set [^;]*?coalesce\([^)]*now\(\)/i],
]

test.each(refused)('no statement meets "%s"', (_, form) => {
  expect(statements.size).toBeGreaterThan(15)
  const meeting = [...statements].filter(([, text]) => form.test(text)).map(([name]) => name)
  expect(meeting).toEqual([])
})

test('a row is locked only by the id of one session', () => {
  for (const [name, text] of statements) {
    if (!/for (no key )?update/.test(text)) continue
    expect(text, name).toMatch(/where s\.id = \$\d+[^;]*?for (no key )?update/)
  }
})

test('no call shares its statement with others', () => {
  const shared = [...statements.keys()].filter((name) => name.endsWith('_many'))
  expect(shared).toEqual(['find_live_many'])
})

test('each statement of a request asks one server for each session that it is about', async () => {
  // PostgreSQL chooses a partition as Citus chooses a shard: by the hash of an id that the statement names.
  const partitioned = await openPostgresStore()
  const { pool } = partitioned
  for (const [table, key] of [
    ['session_data', 'session_id'],
    ['session', 'id'],
  ] as const) {
    await pool.query(`
      alter table sessions.${table} rename to old_${table};
      create table sessions.${table} (like sessions.old_${table} including all) partition by hash (${key});
      ${Array.from(
        { length: 4 },
        (_, n) => `create table sessions.${table}_${n} partition of sessions.${table}
        for values with (modulus 4, remainder ${n});`,
      ).join('\n')}`)
  }
  const asked = new Map<string, number>()
  await everyStatement(pool, { distributed: true }, async ({ name, text, values }) => {
    const { rows } = await pool.query(`explain (costs off) ${text}`, [...values])
    const plan = rows.map((row) => String(row['QUERY PLAN'])).join('\n')
    const servers = new Set([...plan.matchAll(/ on session(?:_data)?_(\d)/g)].map(([, n]) => n))
    const operation = operationOf(name)
    asked.set(operation, Math.max(asked.get(operation) ?? 0, servers.size))
  })
  await partitioned.dispose()
  const ofRequests = [...asked].filter(([name]) => !OF_ALL.test(name))
  expect(ofRequests.length).toBeGreaterThan(20)
  // Going back from acting as a user is about two sessions.
  expect(ofRequests.filter(([name, servers]) => servers > (name === 'end_acting' ? 2 : 1))).toEqual(
    [],
  )
})

test('purgers on distributed tables remove each dead session once, and no live one', async () => {
  await harness.pool.query('delete from sessions.session')
  await inParallel(30, () => begin(harness.store))
  await harness.elapse(2 * HOUR)
  await inParallel(5, () => begin(harness.store))
  const stores = [1, 2, 3].map(
    () => new PostgresStore({ driver: fromPg(harness.pool), distributed: true, migrate: 'off' }),
  )
  const rounds = Array.from({ length: 6 }, (_, n) => stores[n % 3]!)
  let purged = 0
  for (const n of await Promise.all(rounds.map((store) => store.purge(10)))) purged += n
  for (let n = await stores[0]!.purge(10); n > 0; n = await stores[0]!.purge(10)) purged += n
  expect(purged).toBe(30)
  expect(await harness.store.count()).toEqual({ live: 5, expired: 0 })
})
