import { webcrypto } from 'node:crypto'
import { MemoryStore, PostgresStore } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import type { SessionStore } from 'pg-sessions/store'
import { storeContract } from 'pg-sessions/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type SealOptions, sealOption } from '../../src/sealing/seal-settings.ts'
import { sealedStore } from '../../src/sealing/sealed-store.ts'
import { Sealing } from '../../src/sealing/sealing.ts'
import { harnessTest } from '../../src/testing/harness-test.ts'
import { concurrencyTests } from '../../src/testing/store-contract/concurrency.ts'
import { entryTests } from '../../src/testing/store-contract/entries.ts'
import { largeEntryTests } from '../../src/testing/store-contract/large-entries.ts'
import { openPostgresStore, type PostgresStoreHarness } from '../support/postgres-store.ts'

const KEY = Buffer.from(Array.from({ length: 32 }, (_, n) => (n * 37) % 256)).toString('base64')

function sealed(store: SessionStore, key: unknown = KEY): SessionStore {
  const options = sealOption.read({ keys: [key] }, 'seal') as SealOptions
  const failed: string[] = []
  return sealedStore(store, new Sealing(options, (_id, _key, reason) => failed.push(reason)))
}

async function hmacKey(): Promise<webcrypto.CryptoKey> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  return webcrypto.subtle.importKey('raw', Buffer.from(KEY, 'base64'), algorithm, false, ['sign'])
}

/** Raw bytes are sealed here, so those who read and replace them see another thing. */
const runner = {
  describe: (name: string, body: () => void) => {
    if (name !== 'values of all sessions') describe(name, body)
  },
  it,
}

// With a CryptoKey, everything is asynchronous.
describe('a sealed MemoryStore', () => {
  storeContract(runner, async () => {
    let now = Date.now()
    const store = sealed(new MemoryStore({ now: () => now }), await hmacKey())
    return {
      store,
      elapse: async (milliseconds) => {
        now += milliseconds
      },
      dispose: () => store.close(),
    }
  })
})

describe('a sealed PostgresStore', () => {
  let harness: PostgresStoreHarness
  beforeAll(async () => {
    harness = await openPostgresStore()
  })
  afterAll(() => harness.dispose())

  const test = harnessTest({ it }, async () => {
    await harness.pool.query('delete from sessions.session')
    const store = sealed(new PostgresStore({ driver: fromPg(harness.pool), migrate: 'off' }))
    return { store, elapse: harness.elapse, dispose: () => store.close() }
  })
  describe('entries', () => entryTests(test))
  describe('large entries', () => largeEntryTests(test))
  describe('many at once', () => concurrencyTests(test))
})

it('lacks what its store lacks', () => {
  const store = new MemoryStore()
  expect(sealed(Object.assign(store, { fetch: undefined })).fetch).toBeUndefined()
})
