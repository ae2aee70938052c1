import { Pool } from 'pg'
import {
  jsonCodec,
  type Lifetime,
  MemoryStore,
  PostgresStore,
  type SessionStore,
} from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { IDLE_TIMEOUT, SAMPLE, type Visitor } from '../../data/visitors.ts'
import { type Contender, forEach, type OpenContender } from '../contender.ts'

/** As `createSessions` passes them on. */
export const LIFETIME: Lifetime = { idle: IDLE_TIMEOUT, purge: IDLE_TIMEOUT * 1.5 }

/**
 * One load in so many is followed by a touch: a visitor who asks for a page every six seconds, at the
 * default touch interval of a minute.
 */
export const LOADS_PER_TOUCH = 10

export function openNative(groupCommit: boolean): OpenContender {
  return async ({ postgres }, visitors) => {
    const pool = new Pool({ connectionString: postgres })
    const schema = groupCommit ? 'bench_native' : 'bench_native_single'
    const store = new PostgresStore({ driver: fromPg(pool), schema, groupCommit })
    return openStore(store, visitors)
  }
}

export const openNativeMemory: OpenContender = (_servers, visitors) =>
  openStore(new MemoryStore(), visitors)

async function openStore(store: SessionStore, visitors: readonly Visitor[]): Promise<Contender> {
  const operations = nativeOperations(store)
  await store.ready()
  await forEach(visitors, operations['first save'])
  return {
    operations,
    settle: async () => {
      await Promise.all(operations.background)
      operations.background.clear()
    },
  }
}

function nativeOperations(store: SessionStore) {
  const entries = Object.entries(SAMPLE).map(([key, value]) => ({
    key: jsonCodec.encodeKey(key),
    value: jsonCodec.encode(value, key),
  }))
  const background = new Set<Promise<unknown>>()
  let saved = 0
  let loaded = 0

  /** With the work of a codec, since the stores of `express-session` do theirs in `get`. */
  const load = async ({ id, secretHash }: Visitor): Promise<void> => {
    const result = await store.load({ id, secretHashes: [secretHash] })
    if (result.status !== 'live') throw new Error(`load: ${result.status}`)
    const data: Record<string, unknown> = {}
    for (const { key, value } of result.record.entries) {
      data[jsonCodec.decodeKey(key)] = jsonCodec.decode(value)
    }
    if (data.language !== 'en-GB') throw new Error('load: not what was stored')
  }
  const touch = ({ id }: Visitor): Promise<void> => store.touch({ id, lifetime: LIFETIME })
  const save = async ({ id }: Visitor): Promise<void> => {
    const value = jsonCodec.encode(100_000 + (++saved % 100_000), 'visits')
    const written = [{ key: jsonCodec.encodeKey('visits'), value }]
    const change = { id, userId: null, lifetime: LIFETIME, written, deleted: [] }
    const { status } = await store.save(change)
    if (status !== 'saved') throw new Error(`save: ${status}`)
  }
  return {
    background,
    load,
    touch,
    save,
    'read request': async (visitor: Visitor): Promise<void> => {
      await load(visitor)
      if (++loaded % LOADS_PER_TOUCH === 0) background.add(touch(visitor))
    },
    'write request': async (visitor: Visitor): Promise<void> => {
      await load(visitor)
      await save(visitor)
    },
    'first save': async ({ id, secretHash }: Visitor): Promise<void> => {
      const { status } = await store.create({
        ...{ id, secretHash, entries, userId: null, lifetime: LIFETIME },
        ...{ ownIdleTimeout: null, absolute: 30 * 24 * 60 * 60 * 1000 },
      })
      if (status !== 'created') throw new Error(`create: ${status}`)
    },
    destroy: async ({ id }: Visitor): Promise<void> => {
      if (!(await store.destroy(id, null))) throw new Error('destroy: there was none')
    },
  }
}
