import { randomUUID } from 'node:crypto'
import { PostgresStore } from 'pg-sessions'
import type { SessionStore } from 'pg-sessions/store'
import type { Side } from 'pg-sessions/testing'
import { type FaultProxy, startFaultProxy } from 'pg-sessions/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  begin,
  bytes,
  changeOf,
  entry,
  lifetime,
  rotation,
  sample,
} from '../../src/testing/store-contract/samples.ts'
import { openPostgresStore, type PostgresStoreHarness } from '../support/postgres-store.ts'
import { clients, type DatabaseClient, isComplete } from './clients.ts'

/*
 * A connection is cut after its first message, its second, and so on, in either direction, until the
 * call gets through uncut. Whatever the cut, an answer means that the change was applied, and an error
 * that it was applied as a whole or not at all.
 */

let harness: PostgresStoreHarness

beforeAll(async () => {
  harness = await openPostgresStore()
})
afterAll(() => harness.dispose())

const hash = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
const [oldHash, newHash] = [hash(1), hash(2)]
const existing = sample({
  secretHash: oldHash,
  entries: [entry('a', '1'), entry('b', '2')],
})
const { id, userId } = existing
const fresh = sample({ id: randomUUID(), secretHash: newHash, entries: [entry('c', '3')] })
const guard = { id, userId, lifetime }

type Operation = (store: SessionStore) => Promise<unknown>

const operations = {
  load: (store) => store.load({ id, secretHashes: [oldHash] }),
  create: (store) => store.create(fresh),
  save: (store) =>
    store.save(changeOf(existing, { written: [entry('a', '9')], deleted: [bytes('b')] })),
  rotate: (store) => store.save(changeOf(existing, { credentials: rotation(oldHash, newHash) })),
  signIn: (store) => {
    const credentials = { ...rotation(oldHash, newHash), signIn: { userId: 'ann' } }
    return store.save(changeOf(existing, { written: [entry('a', '9')], credentials }))
  },
  clear: (store) => store.replace({ ...existing, secretHashes: [existing.secretHash] }, fresh),
  update: (store) =>
    store.update({ ...guard, key: bytes('a'), expected: bytes('1'), value: bytes('9') }),
  take: (store) => store.take({ ...guard, key: bytes('a') }),
  destroy: (store) => store.destroy({ id }),
} satisfies Record<string, Operation>

/** What is stored, but for its times. */
async function stored(): Promise<unknown> {
  const { rows } = await harness.pool.query(
    `select s.id, encode(s.secret_hash, 'hex') as hash, s.user_id,
       (select json_object_agg(encode(key, 'escape'), encode(value, 'escape') order by key)
        from sessions.session_data where session_id = s.id) as entries
     from sessions.session as s order by s.id`,
  )
  return rows
}

/** Empties the store but for the one session that is there before each call. */
async function arrange(): Promise<void> {
  await harness.pool.query('delete from sessions.session')
  await begin(harness.store, existing)
}

type Verdict = 'uncut' | 'answered' | 'failed'

interface Kind {
  readonly side: Side
  /** Whether the call finds a connection on which its statement is prepared. */
  readonly warm: boolean
  /** Whether the database is out of reach from the cut on. */
  readonly forGood: boolean
}

/** A store beyond the proxy. */
interface Beyond extends AsyncDisposable {
  readonly store: PostgresStore
}

async function openBeyond(client: DatabaseClient, proxy: FaultProxy): Promise<Beyond> {
  const opened = await client.open(proxy.url, { max: 1 })
  const store = new PostgresStore({ driver: opened.driver, migrate: 'off' })
  return { store, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() }
}

async function attempt(
  client: DatabaseClient,
  proxy: FaultProxy,
  count: number,
  kind: Kind,
  operation: Operation,
) {
  await using beyond = await openBeyond(client, proxy)
  if (kind.warm) await operation(beyond.store)
  await arrange()
  let wasCut = false
  void proxy.cutAfter(kind.side, count).then(() => {
    wasCut = true
    return kind.forGood ? proxy.refuse() : undefined
  })
  const verdict: Verdict = await operation(beyond.store).then(
    () => (wasCut ? 'answered' : 'uncut'),
    (error: unknown) => {
      expect(error).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
      return 'failed'
    },
  )
  await untilServerIsDone()
  if (kind.forGood) await proxy.pass()
  return { verdict, left: await stored() }
}

/** What was sent before the cut is done, or dropped. */
async function untilServerIsDone(): Promise<void> {
  const others = `select pid from pg_stat_activity
    where datname = current_database() and state = 'active' and pid <> pg_backend_pid()`
  const busy = async () => (await harness.pool.query(others)).rows
  await expect.poll(busy, { interval: 5 }).toEqual([])
}

/** Gives what became of the call at each cut; the last one is the first that did not happen. */
async function sweep(client: DatabaseClient, name: OperationName, kind: Kind): Promise<Verdict[]> {
  const operation: Operation = operations[name]
  await arrange()
  const before = await stored()
  await operation(harness.store)
  const after = await stored()

  await using proxy = await startFaultProxy(harness.database.url)
  const verdicts: Verdict[] = []
  for (let count = 1; verdicts.at(-1) !== 'uncut'; count += 1) {
    const { verdict, left } = await attempt(client, proxy, count, kind, operation)
    verdicts.push(verdict)
    if (verdict === 'failed') expect([before, after]).toContainEqual(left)
    else expect(left).toEqual(after)
  }
  return verdicts
}

type OperationName = keyof typeof operations

/** `npm test` takes a few, since `npm run test:proof -- sweep` cuts, slices and delays all of them. */
function some(all: readonly OperationName[], sampled: readonly OperationName[]): OperationName[] {
  return all.filter((name) => isComplete || sampled.includes(name))
}

const sides = (['client', 'server'] as const).filter((side) => isComplete || side === 'server')

describe.each(clients())('with %s', (_, client) => {
  describe.each(sides)('whatever the %s says last', (side) => {
    test('create is applied if it is answered, else as a whole or not at all', async () => {
      // Not repeated once it may have been applied: the session may have been ended since.
      const verdicts = await sweep(client, 'create', { side, warm: true, forGood: false })
      expect(verdicts.length).toBeGreaterThan(3)
      expect(verdicts).toContain('answered')
    })

    test.each(some(['load', 'destroy'], ['destroy']))('%s hears nothing of a cut', async (name) => {
      const verdicts = await sweep(client, name, { side, warm: true, forGood: false })
      expect(verdicts.length).toBeGreaterThan(3)
      expect(verdicts).not.toContain('failed')
    })

    test.each(some(['save', 'rotate', 'signIn', 'clear', 'update', 'take'], ['clear', 'take']))(
      '%s is applied if it is answered, else as a whole or not at all',
      async (name) => {
        const verdicts = await sweep(client, name, { side, warm: true, forGood: false })
        expect(verdicts).toContain('failed')
      },
    )

    test.each(some(['load', 'destroy'], ['load']))(
      '%s fails, applied as a whole or not at all, if nothing follows',
      async (name) => {
        const verdicts = await sweep(client, name, { side, warm: true, forGood: true })
        expect(verdicts).toContain('failed')
      },
    )

    test.each(some(['create', 'save'], ['save']))(
      '%s on a new connection is applied if it is answered',
      async (name) => {
        const verdicts = await sweep(client, name, { side, warm: false, forGood: false })
        expect(verdicts.length).toBeGreaterThan(7)
      },
    )
  })
})

describe.each(clients([], ({ reconnects }) => !reconnects))('with %s', (_, client) => {
  test.each(Object.keys(operations) as OperationName[])(
    '%s is applied if it is answered, else as a whole or not at all',
    async (name) => {
      for (const side of ['client', 'server'] as const) {
        const verdicts = await sweep(client, name, { side, warm: true, forGood: false })
        expect(verdicts).toContain('failed')
      }
    },
  )
})
