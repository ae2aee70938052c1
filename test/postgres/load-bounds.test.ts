import { PostgresStore } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type Begun,
  begin,
  bytes,
  changeOf,
  entry,
  inParallel,
  randomHash,
  rotation,
} from '../../src/testing/store-contract/samples.ts'
import { openPostgresStore, type PostgresStoreHarness } from '../support/postgres-store.ts'
import { operationOf } from './recording-driver.ts'

let harness: PostgresStoreHarness

beforeAll(async () => {
  harness = await openPostgresStore()
})
afterAll(() => harness.dispose())

interface Answered {
  readonly operation: string
  /** Characters of the answer. */
  readonly size: number
}

function openMeasured(): { store: PostgresStore; answers: Answered[] } {
  const driver = fromPg(harness.pool)
  const answers: Answered[] = []
  const store = new PostgresStore({
    migrate: 'off',
    driver: {
      ...driver,
      async query(statement, options) {
        const rows = await driver.query(statement, options)
        const size = rows.reduce((sum, { answer }) => sum + (answer?.length ?? 0), 0)
        answers.push({ operation: operationOf(statement.name), size })
        return rows
      },
    },
  })
  return { store, answers }
}

/** Of entries of 4000 bytes each. */
function beginHeavy(count = 300): Promise<Begun> {
  const value = 'x'.repeat(4000)
  const entries = Array.from({ length: count }, (_, n) => entry(`key-${n}`, value))
  return begin(harness.store, { entries })
}

test('a wrong token is answered alike whether or not a session has its id, and whatever that holds', async () => {
  const heavy = await beginHeavy()
  const { store, answers } = openMeasured()
  const forged = (id: string) => store.load({ id, secretHashes: [randomHash()] })
  await forged(heavy.id)
  await forged('01900000-0000-7000-8000-000000000000')
  const results = await inParallel(4, () => forged(heavy.id))
  expect(results.map(({ status }) => status)).toEqual(Array(4).fill('unknown'))
  expect(answers.map(({ size }) => size)).toEqual([0, 0, 0, 0])
  expect(answers.map(({ operation }) => operation)).toContain('load_many')
})

test('a renewed token that is used after its grace reads nothing of what the session holds', async () => {
  // Little enough to be answered by a shared statement.
  const heavy = await beginHeavy(30)
  const grace = { duration: 60_000, successor: bytes('sealed') }
  const { token } = rotation(heavy.secretHash)
  const credentials = { token: { ...token, grace } }
  await harness.store.save(changeOf(heavy, { credentials }))
  await harness.elapse(grace.duration)
  const { store, answers } = openMeasured()
  const reuse = () => store.load({ id: heavy.id, secretHashes: [heavy.secretHash] })
  const results = [await reuse(), ...(await inParallel(4, reuse))]
  expect(results.map(({ status }) => status)).toEqual(Array(5).fill('reused'))
  expect(answers.map(({ operation }) => operation)).toContain('load_many')
  for (const { size } of answers) expect(size).toBeLessThan(2000)
})

test('sessions that hold much are loaded alone, so that a shared answer stays small', async () => {
  const heavy = await inParallel(8, () => beginHeavy())
  const light = await inParallel(8, (n) => begin(harness.store, { entries: [entry('n', `${n}`)] }))
  const { store, answers } = openMeasured()
  const results = await Promise.all(
    [...light, ...heavy].map(({ id, secretHash }) =>
      store.load({ id, secretHashes: [secretHash] }),
    ),
  )
  const counts = results.map((result) =>
    result.status === 'live' ? result.record.entries.length : 0,
  )
  expect(counts).toEqual([...Array(8).fill(1), ...Array(8).fill(300)])
  const shared = answers.filter(({ operation }) => operation === 'load_many')
  expect(shared.length).toBeGreaterThan(0)
  for (const { size } of shared) expect(size).toBeLessThan(10_000)
})

/** Entries of so many bytes together, none of them large. */
const entriesOf = (size: number) =>
  Array.from({ length: size / 4000 }, (_, n) => entry(`key-${n}`, 'x'.repeat(4000)))

test('many sessions that hold a good deal share an answer of a few megabytes at most', async () => {
  const sessions = await inParallel(65, () => begin(harness.store, { entries: entriesOf(100_000) }))
  const { store, answers } = openMeasured()
  const loads = sessions.map(({ id, secretHash }) => store.load({ id, secretHashes: [secretHash] }))
  for (const result of await Promise.all(loads)) {
    expect(result).toMatchObject({ status: 'live', record: { entries: { length: 25 } } })
  }
  expect(answers.map(({ operation }) => operation)).toContain('load_many')
  for (const { size } of answers) expect(size).toBeLessThan(6_000_000)
})

test('a session that several requests load at once is read once for all of them', async () => {
  const session = await begin(harness.store, { entries: entriesOf(100_000) })
  const others = await inParallel(2, () => begin(harness.store))
  const { store, answers } = openMeasured()
  const load = ({ id, secretHash }: Begun) => store.load({ id, secretHashes: [secretHash] })
  const asked = [others[0]!, ...Array<Begun>(20).fill(session), others[1]!]
  const results = await Promise.all(asked.map(load))
  expect(answers.map(({ operation }) => operation)).toEqual(['load', 'load_many'])
  expect(answers[1]?.size).toBeLessThan(200_000)
  const values = results.map((result) =>
    result.status === 'live' ? result.record.entries.map(({ value }) => value) : [],
  )
  expect(values.map(({ length }) => length)).toEqual([0, ...Array(20).fill(25), 0])
  // Each has bytes of its own.
  values[1]![0]![0] = 0
  for (const [value] of values.slice(2, -1)) expect(value?.[0]).toBe('x'.charCodeAt(0))
})
