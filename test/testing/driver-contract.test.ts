import pg from 'pg'
import type { Driver } from 'pg-sessions/driver'
import { fromPg } from 'pg-sessions/pg'
import { type DriverHarness, driverContract } from 'pg-sessions/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { addressOf, at } from '../support/database-address.ts'

/** An author of a driver who forgets something is told so by the sentence of a test that fails. */

let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

type Spoil = (driver: Driver, pool: pg.Pool) => Driver

async function openHarness(spoil: Spoil): Promise<DriverHarness> {
  const open = (url: string) => {
    const pool = new pg.Pool({ connectionString: url, max: 2 })
    return { driver: spoil(fromPg(pool), pool), dispose: () => pool.end() }
  }
  return {
    ...open(database.url),
    connections: 2,
    useClient: async () => {},
    killBackends: async () => {},
    server: addressOf(database.url),
    driverAt: async (host, port) => open(at(database.url, host, port)),
  }
}

/** Finds the contract's test of this name, and runs it on a driver. */
async function run(sentence: string, open: () => Promise<DriverHarness>): Promise<void> {
  const found: (() => Promise<void>)[] = []
  const runner = {
    describe: (_: string, body: () => void) => body(),
    it: (name: string, body: () => Promise<void>) => {
      if (name.startsWith(sentence)) found.push(body)
    },
  }
  driverContract(runner, open)
  expect(found).toHaveLength(1)
  await found[0]?.()
}

const isLost = (error: unknown): boolean => /terminated|ECONNRESET/.test(String(error))

const forgotten: Record<string, readonly [sentence: string, spoil: Spoil]> = {
  'explain, for a lost reply': [
    'says that a statement whose reply got lost',
    ({ explain: _, ...driver }) => driver,
  ],
  'explain, for a startup': [
    'explains a startup refused with XX000',
    ({ explain: _, ...driver }) => driver,
  ],
  'that a startup sends nothing': [
    'says that nothing was sent, at whatever message the startup is cut',
    (driver) => ({
      ...driver,
      explain: (error) => {
        const explanation = driver.explain?.(error)
        return explanation && { ...explanation, outcome: 'unknown' }
      },
    }),
  ],
  'to hide passwords': [
    "shows no password that stands in the server's reason",
    (driver) => ({
      ...driver,
      explain: (error) => ({ outcome: 'none', kind: 'unreachable', reason: String(error) }),
    }),
  ],
  'to say what to do about TLS': [
    'advises TLS',
    (driver) => ({
      ...driver,
      explain: (error) => {
        const { advice: _, ...explanation } = driver.explain?.(error) ?? {}
        return explanation as ReturnType<NonNullable<Driver['explain']>>
      },
    }),
  ],
  'that a lost statement may have been applied': [
    'says that a statement whose reply got lost',
    (driver) => ({
      ...driver,
      query: (statement, options) =>
        driver
          .query(statement, options)
          .catch((error: unknown) =>
            isLost(error) ? driver.query(statement, options) : Promise.reject(error),
          ),
    }),
  ],
  'that an answer cut off is none': [
    'gives no rows of an answer whose end was cut off',
    (driver) => ({
      ...driver,
      query: (statement, options) =>
        driver
          .query(statement, options)
          .catch((error: unknown) => (isLost(error) ? [] : Promise.reject(error))),
    }),
  ],
  'to stop only what was given up': [
    'hurts no statement beside one that is given up',
    (driver, pool) => ({
      ...driver,
      query: async (statement, options) => {
        try {
          return await driver.query(statement, options)
        } catch (error) {
          const waiting = `select pg_cancel_backend(pid) from pg_stat_activity where wait_event_type = 'Lock'`
          if (options.timeout < 1000) await pool.query(waiting)
          throw error
        }
      },
    }),
  ],
  check: [
    'never uses a connection again on which check has thrown',
    (driver) => ({
      ...driver,
      query: (statement, { check: _, ...options }) => driver.query(statement, options),
    }),
  ],
}

test.each(Object.entries(forgotten))(
  'a driver that forgets %s fails a test that says so',
  async (_, [sentence, spoil]) => {
    await expect(run(sentence, () => openHarness(spoil))).rejects.toThrow()
    await run(sentence, () => openHarness((driver) => driver))
  },
)

test.each(['killBackends', 'server', 'driverAt'])(
  'a harness without %s is told so',
  async (part) => {
    const open = async (): Promise<DriverHarness> => ({
      ...(await openHarness((driver) => driver)),
      [part]: undefined,
    })
    await expect(run(`is given ${part} by its harness`, open)).rejects.toThrow(`add \`${part}\``)
  },
)
