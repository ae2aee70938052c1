import { randomUUID } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { MemoryStore } from '../../src/store/memory-store.ts'
import type { NewSession } from '../../src/store/session-store.ts'
import { storeContract } from '../../src/testing/store-contract.ts'

const hash = new Uint8Array(32).fill(0xab)
const lifetime = { idle: 1000, purge: 2000 }

function sample(details: Partial<NewSession> = {}): NewSession {
  return {
    id: randomUUID(),
    secretHash: hash,
    userId: 'ann',
    lifetime,
    ownIdleTimeout: null,
    absolute: 10_000,
    entries: [],
    ...details,
  }
}

function openAt(start: number): { store: MemoryStore; pass(milliseconds: number): void } {
  let now = start
  const store = new MemoryStore({ now: () => now })
  const pass = (milliseconds: number) => {
    now += milliseconds
  }
  return { store, pass }
}

describe('MemoryStore', () => {
  storeContract({ describe, it }, async () => {
    const { store, pass } = openAt(Date.now())
    return {
      store,
      elapse: async (milliseconds) => pass(milliseconds),
      dispose: () => store.close(),
    }
  })

  it('keeps time by Date.now unless told otherwise', async () => {
    const before = Date.now()
    const result = await new MemoryStore().create(sample())
    const now = result.status === 'created' ? result.times.now : 0
    expect(now).toBeGreaterThanOrEqual(before)
    expect(now).toBeLessThanOrEqual(Date.now())
  })

  it('has a session dead at its deadline, to the millisecond, and purgeable from then on', async () => {
    const { store, pass } = openAt(0)
    const { id } = sample()
    await store.create(sample({ id }))
    pass(999)
    expect((await store.load({ id, secretHashes: [hash] })).status).toBe('live')
    expect(await store.purge(1)).toBe(0)
    pass(1)
    expect((await store.load({ id, secretHashes: [hash] })).status).toBe('expired')
    expect(await store.purge(1)).toBe(1)
  })

  it('purges no live session even under a purge bound that lies too early', async () => {
    const { store, pass } = openAt(0)
    const { id } = sample()
    await store.create(sample({ id }))
    await store.touch({ id, lifetime: { idle: 5000, purge: 0 } })
    pass(2000)
    expect(await store.purge(1)).toBe(0)
    expect((await store.load({ id, secretHashes: [hash] })).status).toBe('live')
  })

  it('lists sessions used at the same moment by id, the highest first', async () => {
    const { store } = openAt(0)
    const ids = ['b', 'd', 'a', 'c'].map((digit) => `${digit}0000000-0000-7000-8000-000000000000`)
    for (const id of ids) await store.create(sample({ id }))
    const listed = (await store.listByUser('ann')).map(({ id }) => id)
    expect(listed).toEqual([...ids].sort().reverse())
  })

  it('shows nothing of what it holds when it is inspected', async () => {
    const { store } = openAt(0)
    const secret = new TextEncoder().encode('canary')
    const { id } = sample()
    await store.create(sample({ id, userId: 'canary', entries: [{ key: secret, value: secret }] }))
    const shown = inspect(store, { depth: Infinity, showHidden: true }) + JSON.stringify(store)
    expect(shown).not.toContain(id)
    expect(shown).not.toMatch(/canary|ab ab|171/)
    expect(shown).not.toContain(inspect(secret).slice(-20))
  })

  it('holds nothing any more once it is closed, and says so', async () => {
    const { store } = openAt(0)
    await store.create(sample())
    await store.close()
    await expect(store.count()).rejects.toMatchObject({ code: 'ERR_SESSIONS_CLOSED' })
  })
})
