import { randomUUID } from 'node:crypto'
import { stringify } from 'devalue'
import { MemoryStore } from 'pg-sessions'
import {
  type AstroSessionDriver,
  astroSessionDriver,
  type SidCommonOptions,
} from 'pg-sessions/astro-session'
import { describe, expect, it } from 'vitest'
import { sidIdentity } from '../../src/compatibility/by-sid/sid-identity.ts'
import { AstroVisit } from './astro-visit.ts'
import { eachGround, type Ground, type Grounds } from './grounds.ts'

const HOUR = 3_600_000

eachGround((grounds) => {
  describe('astroSessionDriver', () => {
    it('keeps a session, and finds it again with all that devalue knows', async () => {
      const { visit } = await open(grounds)
      const values = { date: new Date(0), map: new Map([[1, new Set([2])]]), big: 3n, none: null }
      const first = visit()
      for (const [key, value] of Object.entries(values)) first.set(key, value)
      await first.persist()
      expect(await visit().read()).toEqual(values)
    })

    it('begins nothing for a visitor who has nothing to keep', async () => {
      const { visit, live } = await open(grounds)
      await visit().delete('a').persist()
      expect(await live()).toBe(0)
    })

    it('keeps what parallel requests set, each another key', async () => {
      const { visit } = await open(grounds)
      await visit().set('first', 1).persist()
      const keys = Array.from({ length: 50 }, (_, index) => `key${index}`)
      const requests = keys.map(() => visit())
      await Promise.all(requests.map((request) => request.read()))
      await Promise.all(requests.map((request, index) => request.set(`key${index}`, 1).persist()))
      const expected = Object.fromEntries(['first', ...keys].map((key) => [key, 1]))
      expect(await visit().read()).toEqual(expected)
    })

    it('keeps what another request has set, though this one leaves nothing that it has read', async () => {
      const { visit } = await open(grounds)
      await visit().set('a', 1).set('b', 1).persist()
      const one = visit()
      const other = visit()
      await one.read()
      await other.read()
      await other.set('c', 1).persist()
      await one.set('a', 2).delete('b').persist()
      expect(await visit().read()).toEqual({ a: 2, c: 1 })
    })

    it('writes no key that a request has only read, and deletes those it has deleted', async () => {
      const { visit } = await open(grounds)
      await visit().set('a', 1).set('b', 1).set('c', 1).persist()
      const slow = visit()
      await slow.read()
      const fast = visit()
      await fast.read()
      await fast.set('a', 2).persist()
      await slow.delete('b').persist()
      expect(await visit().read()).toEqual({ a: 2, c: 1 })
    })

    it('saves a value that a request has changed in place', async () => {
      const { visit } = await open(grounds)
      await visit().set('list', [1]).set('other', 1).persist()
      const request = visit()
      const { list } = await request.read()
      ;(list as number[]).push(2)
      await request.persist()
      expect(await visit().read()).toEqual({ list: [1, 2], other: 1 })
    })

    it.each([
      ['leaves some of what it has read', (request: AstroVisit) => request.set('late', 1)],
      ['leaves none of it', (request: AstroVisit) => request.set('user', 'ann').delete('cart')],
    ])('stays ended when a slow request stores it that %s', async (_, change) => {
      const { visit, driver, id, live } = await open(grounds)
      await visit().set('user', 'ann').set('cart', 1).persist()
      const slow = visit()
      await slow.read()
      await driver.removeItem(id)
      await change(slow).persist()
      expect(await visit().read()).toEqual({})
      expect(await live()).toBe(0)
    })

    it('goes on under a new id, and the old one is dead', async () => {
      const { visit, driver, id, live } = await open(grounds)
      await visit().set('a', 1).persist()
      const request = visit()
      await request.read()
      const next = randomUUID()
      await driver.removeItem(id)
      await request.persist(next)
      expect(await visit().read()).toEqual({})
      expect(await visit(next).read()).toEqual({ a: 1 })
      expect(await live()).toBe(1)
    })

    it('stores neither the id of the cookie nor a mark of its own', async () => {
      const { visit, id, ground } = await open(grounds)
      await visit().set('a', 1).persist()
      const request = visit()
      await request.read()
      await request.set('b', 1).persist()
      const found = await ground.beside().load(sidIdentity(id).proof)
      const entries = 'record' in found ? found.record.entries : []
      const stored = entries.map(({ key, value }) => [key, value].map(textOf).join(' '))
      expect(stored.sort()).toEqual([
        'a [{"data":1,"expires":-1},1]',
        'b [{"data":1,"expires":-1},1]',
      ])
      expect(JSON.stringify(found)).not.toContain(id)
    })

    it('notes an access of a request that only reads, when it is due', async () => {
      const { visit, ground } = await open(grounds, { idleTimeout: '1h', touchInterval: '10m' })
      await visit().set('a', 1).persist()
      ground.watched.calls.length = 0
      await visit().read()
      await ground.watched.settled()
      expect(ground.watched.calls).toEqual(['load'])
      for (let step = 0; step < 3; step += 1) {
        await ground.elapse(HOUR / 2)
        expect(await visit().read()).toEqual({ a: 1 })
        await ground.watched.settled()
      }
      await ground.elapse(HOUR)
      expect(await visit().read()).toEqual({})
    })

    it('gives an error, and no empty session, when the store cannot be asked', async () => {
      const { visit, ground } = await open(grounds)
      await visit().set('a', 1).persist()
      ground.watched.fail('load', new RangeError('away'))
      await expect(visit().read()).rejects.toThrow('away')
    })

    it('tells whose a session is', async () => {
      const userId = ({ user }: Readonly<Record<string, unknown>>) => (user ? String(user) : null)
      const { visit, ground } = await open(grounds, { userId })
      await visit().set('user', 'ann').persist()
      expect(await ground.watched.store.listByUser('ann')).toHaveLength(1)
    })
  })
})

describe('astroSessionDriver, whatever the store', () => {
  it('refuses what is not a session of Astro', async () => {
    const driver = astroSessionDriver({ store: new MemoryStore(), log: false })
    const stored = driver.setItem(randomUUID(), stringify({ a: 1 }))
    await expect(stored).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED' })
    await driver.dispose()
  })

  it.each([
    ['keeps what others have set', false, { read: 1, other: 1, late: 1 }],
    ['stays ended', true, {}],
  ])('%s when a request stores what it has read very long ago', async (_, ends, expected) => {
    const driver = astroSessionDriver({ store: new MemoryStore(), log: false })
    const id = randomUUID()
    await new AstroVisit(driver, id).set('read', 1).persist()
    const slow = new AstroVisit(driver, id)
    await slow.read()
    const another = randomUUID()
    await new AstroVisit(driver, another).set('a', 1).persist()
    for (let read = 0; read < 5000; read += 1) await driver.getItem(another)
    const fast = new AstroVisit(driver, id)
    if (ends) await driver.removeItem(id)
    else await fast.set('read', 1).set('other', 1).persist()
    await slow.set('late', 1).persist()
    expect(await new AstroVisit(driver, id).read()).toEqual(expected)
    await driver.dispose()
  })

  it('works when its functions are copied, as Astro does', async () => {
    const { getItem, dispose } = astroSessionDriver({ store: new MemoryStore(), log: false })
    expect(await getItem(randomUUID())).toBeNull()
    await dispose()
  })
})

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8')
}

async function open(
  grounds: Grounds,
  options: SidCommonOptions = {},
): Promise<{
  ground: Ground
  driver: AstroSessionDriver
  id: string
  visit(id?: string): AstroVisit
  live(): Promise<number>
}> {
  const ground = await grounds.lay()
  const { store } = ground.watched
  const driver = astroSessionDriver({ store, log: false, purgeInterval: 'never', ...options })
  grounds.closing({ close: () => driver.dispose() })
  const id = randomUUID()
  return {
    ground,
    driver,
    id,
    visit: (of = id) => new AstroVisit(driver, of),
    live: async () => (await store.count()).live,
  }
}
