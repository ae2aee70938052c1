import { Pool } from 'pg'
import { jsonCodec, MemoryStore, PostgresStore } from 'pg-sessions'
import type { Lifetime, SessionStore, SessionTimes } from 'pg-sessions/store'
import { fromPg } from 'pg-sessions/pg'
import { IDLE_TIMEOUT, type Visitor } from '../../data/visitors.ts'
import type { Contender, OpenContender, Operation } from '../contender.ts'

/** As `createSessions` chooses it for this idle timeout. */
const TOUCH_INTERVAL = IDLE_TIMEOUT / 60

/**
 * One load in so many is followed by a touch, and one save in so many notes the access: a visitor who
 * asks for a page every six seconds, where the touch interval is a minute.
 */
export const LOADS_PER_TOUCH = 10

export function openNative(groupCommit: boolean): OpenContender {
  return async ({ postgres }, { name, data }) => {
    const pool = new Pool({ connectionString: postgres })
    const schema = nativeSchema(groupCommit ? name : `${name}_unshared`)
    const store = new PostgresStore({ driver: fromPg(pool), schema, groupCommit })
    await store.ready()
    return contenderOf(store, data)
  }
}

export const openNativeMemory: OpenContender = async (_servers, { data }) =>
  contenderOf(new MemoryStore(), data)

export function nativeSchema(dataset: string): string {
  return `bench_${dataset}`
}

function contenderOf(store: SessionStore, data: Readonly<Record<string, unknown>>): Contender {
  const { background, ...operations } = nativeOperations(store, data)
  const settle = async (): Promise<void> => {
    await Promise.all(background)
    background.clear()
  }
  return { operations, settle }
}

/** The calls that a `Session` makes, without the session. */
export function nativeOperations(store: SessionStore, data: Readonly<Record<string, unknown>>) {
  const entries = Object.entries(data).map(([key, value]) => ({
    key: jsonCodec.encodeKey(key),
    value: jsonCodec.encode(value, key),
  }))
  const background = new Set<Promise<unknown>>()
  const lifetimes = new Lifetimes()
  let saved = 0
  let loaded = 0

  /** With the work of a codec, since the stores of `express-session` do theirs in `get`. */
  const load: Operation = async ({ id, secretHash }) => {
    const result = await store.load({ id, secretHashes: [secretHash] })
    if (result.status !== 'live') throw new Error(`load: ${result.status}`)
    lifetimes.learn(id, result.record)
    const found: Record<string, unknown> = {}
    for (const { key, value } of result.record.entries) {
      found[jsonCodec.decodeKey(key)] = jsonCodec.decode(value)
    }
    if (typeof found.visits !== 'number') throw new Error('load: not what was stored')
  }
  const readOneKey: Operation = async ({ id, secretHash }) => {
    const result = await store.load({ id, secretHashes: [secretHash] }, { largeEntries: 8192 })
    if (result.status !== 'live') throw new Error(`load: ${result.status}`)
    const found = result.record.entries.find(({ key }) => jsonCodec.decodeKey(key) === 'visits')
    if (found === undefined) throw new Error('load: not what was stored')
    jsonCodec.decode(found.value)
  }
  const largest = entries.reduce((a, b) => (b.value.length > a.value.length ? b : a))
  const writeLargest: Operation = async ({ id }) => {
    const lifetime = lifetimes.next(id)
    const change = { id, userId: null, lifetime, written: [largest], deleted: [] }
    const result = await store.save(change)
    if (result.status !== 'saved') throw new Error(`save: ${result.status}`)
    lifetimes.learn(id, result.times)
  }
  const touch = async ({ id }: Visitor, mayWait = false): Promise<void> => {
    await store.touch({ id, lifetime: lifetimes.next(id), mayWait })
  }
  const save: Operation = async ({ id }) => {
    const value = jsonCodec.encode(100_000 + (++saved % 100_000), 'visits')
    const written = [{ key: jsonCodec.encodeKey('visits'), value }]
    const isTouchDue = saved % LOADS_PER_TOUCH === 0
    const lifetime = lifetimes.next(id)
    const change = { id, userId: null, lifetime, written, deleted: [], isTouchDue }
    const result = await store.save(change)
    if (result.status !== 'saved') throw new Error(`save: ${result.status}`)
    lifetimes.learn(id, result.times)
  }
  const readRequest: Operation = async (visitor) => {
    await load(visitor)
    if (++loaded % LOADS_PER_TOUCH === 0) background.add(touch(visitor, true))
  }
  const writeRequest: Operation = async (visitor) => {
    await load(visitor)
    await save(visitor)
  }
  const firstSave: Operation = async ({ id, secretHash }) => {
    const result = await store.create({
      ...{ id, secretHash, entries, userId: null, ownIdleTimeout: null },
      lifetime: { idle: IDLE_TIMEOUT, purge: IDLE_TIMEOUT },
      absolute: 30 * 24 * 60 * 60 * 1000,
    })
    if (result.status !== 'created') throw new Error(`create: ${result.status}`)
    lifetimes.learn(id, result.times)
  }
  const destroy: Operation = async ({ id }) => {
    if ((await store.destroy({ id })).status !== 'ended') throw new Error('destroy: there was none')
  }
  return {
    ...{ background, load, touch, save, destroy },
    'read request': readRequest,
    'write request': writeRequest,
    'first save': firstSave,
    'read one key': readOneKey,
    'write the largest': writeLargest,
  }
}

/** Moves the purge bound as rarely as a `Session` does: it stays while it covers the deadline. */
class Lifetimes {
  readonly #purgeAt = new Map<string, number>()

  learn(id: string, { purgeAt }: Pick<SessionTimes, 'purgeAt'>): void {
    this.#purgeAt.set(id, purgeAt)
  }

  next(id: string): Lifetime {
    const now = Date.now()
    const isCovered = (this.#purgeAt.get(id) ?? 0) - now >= IDLE_TIMEOUT
    const purge = isCovered ? IDLE_TIMEOUT : IDLE_TIMEOUT + 30 * TOUCH_INTERVAL
    if (!isCovered) this.#purgeAt.set(id, now + purge)
    return { idle: IDLE_TIMEOUT, purge }
  }
}
