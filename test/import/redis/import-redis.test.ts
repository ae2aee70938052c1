import { fromPg } from 'pg-sessions/pg'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { sidIdentity } from '../../../src/compatibility/by-sid/sid-identity.ts'
import { importRedis, type RedisImportOptions } from '../../../src/import/redis/import-redis.ts'
import type { RedisCommands } from '../../../src/import/redis/redis-commands.ts'
import type { Driver } from '../../../src/postgres/driver.ts'
import { StatementRunner } from '../../../src/postgres/statement-runner.ts'
import { resolveTableNames } from '../../../src/postgres/table-names.ts'
import { openPostgresStore, type PostgresStoreHarness } from '../../support/postgres-store.ts'

/*
 * What an import decides: the answers of Redis are given here, so that they can be odd, and the database is a real one.
 * `examples/connect-redis` moves sessions out of a real Redis.
 */

const HOUR = 3_600_000
const names = resolveTableNames({ schema: 'sessions', tables: {} })

let harness: PostgresStoreHarness

beforeAll(async () => {
  harness = await openPostgresStore()
})
afterAll(() => harness.dispose())
beforeEach(() => harness.pool.query('delete from sessions.session'))

/** A Redis that holds these values, each with the milliseconds that it has left. */
function redisWith(all: Readonly<Record<string, readonly [text: string, left: number]>>) {
  const held = new Map(Object.entries(all))
  const patterns: (string | undefined)[] = []
  const send = async ([command, ...args]: readonly string[]): Promise<unknown> => {
    switch (command) {
      case 'DBSIZE':
        return held.size
      case 'SCAN':
        patterns.push(args[2])
        return ['0', [...held.keys()]]
      case 'MGET':
        return args.map((key) => held.get(key)?.[0] ?? null)
      case 'PTTL':
        return held.get(args[0] ?? '')?.[1] ?? -2
      default:
        for (const key of args) held.delete(key)
        return args.length
    }
  }
  return { held, patterns, commands: { send, close: async () => {} } satisfies RedisCommands }
}

const move = (
  commands: RedisCommands,
  options: Partial<RedisImportOptions> = {},
  driver: Driver = fromPg(harness.pool),
) =>
  importRedis({
    redis: commands,
    prefix: 'sess:',
    runner: new StatementRunner(driver, 5000),
    names,
    identify: sidIdentity,
    idleTimeout: HOUR,
    absoluteTimeout: Number.POSITIVE_INFINITY,
    batchSize: 10,
    dryRun: false,
    signal: new AbortController().signal,
    onProgress: () => {},
    ...options,
  })

const live = async (): Promise<readonly { left: number }[]> => {
  const { rows } = await harness.pool.query(
    `select extract(epoch from expires_at - now())::float8 * 1000 as left
     from sessions.session where expires_at > now() order by 1`,
  )
  return rows
}

const session = JSON.stringify({ cookie: {}, user: 'ann' })

test('removes in Redis what it has moved, and leaves what cannot be a session', async () => {
  const { held, commands } = redisWith({
    'sess:a': [session, 60_000],
    'sess:b': [session, -1],
    'sess:broken': ['no JSON', 60_000],
    'sess:huge': [JSON.stringify({ cookie: {}, text: 'x'.repeat(4_200_000) }), 60_000],
    'sess:dead': [session, 0],
  })
  expect((await move(commands)).moved).toBe(2)
  expect([...held.keys()].sort()).toEqual(['sess:broken', 'sess:dead', 'sess:huge'])
  const [one, other] = await live()
  expect(one?.left).toBeLessThanOrEqual(60_000)
  expect(other?.left).toBeGreaterThan(60_000)
})

test('a rehearsal moves nothing and removes nothing', async () => {
  const { held, commands } = redisWith({ 'sess:a': [session, 60_000] })
  expect((await move(commands, { dryRun: true })).moved).toBe(1)
  expect([held.size, await live()]).toEqual([1, []])
})

test('a prefix is taken to the letter', async () => {
  const { patterns, commands } = redisWith({})
  await move(commands, { prefix: 'a*b[c]?:' })
  expect(patterns).toEqual([String.raw`a\*b\[c\]\?:*`])
})

test('what has ended here since is left in Redis, and not moved again', async () => {
  const { held, commands } = redisWith({ 'sess:a': [session, 60_000] })
  await move(commands)
  await harness.pool.query('delete from sessions.session where expires_at > now()')
  // A process of the old application writes late what it still held.
  held.set('sess:a', [session, 60_000])
  expect((await move(commands)).moved).toBe(0)
  expect([held.size, await live()]).toEqual([1, []])
})

test('sessions whose answer got lost are moved and removed once', async () => {
  const { held, commands } = redisWith({ 'sess:a': [session, 60_000], 'sess:b': [session, 60_000] })
  const driver = fromPg(harness.pool)
  let losses = 1
  const losing: Driver = {
    ...driver,
    async query(statement, options) {
      const result = await driver.query(statement, options)
      if (losses-- > 0) throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
      return result
    },
  }
  expect((await move(commands, {}, losing)).moved).toBe(2)
  expect([held.size, (await live()).length]).toEqual([0, 2])
})

test('what is moved is remembered for longer than the old application holds it', async () => {
  const { commands } = redisWith({ 'sess:a': [session, 1000] })
  await move(commands)
  const { rows } = await harness.pool.query(
    `select max(purge_at) - now() > interval '89 days' as is_long from sessions.session`,
  )
  expect(rows).toEqual([{ is_long: true }])
})
