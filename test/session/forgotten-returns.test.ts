import { createSessions, MemoryStore } from 'pg-sessions'
import { structuredCloneCodec } from 'pg-sessions/structured-clone'
import { expect, test, vi } from 'vitest'

interface Told {
  readonly facts: object
  readonly message: string
}

function open(settings: object = {}) {
  const told: Told[] = []
  const keep = (facts: object, message: string): void => void told.push({ facts, message })
  const log = { debug() {}, info() {}, warn: keep, error: keep }
  const sessions = createSessions<Record<string, unknown>>({
    store: new MemoryStore(),
    log,
    ...settings,
  })
  return { session: sessions.open(null).session, told }
}

test.each([
  ['JSON', {}],
  ['structured clones', { codec: structuredCloneCodec }],
])(
  'a value of %s that is changed in place and not returned is not removed',
  async (_, settings) => {
    const { session } = open(settings)
    session.set('cart', ['tea'])
    await session.save()
    const push = session.update('cart', (cart) => {
      ;(cart as string[]).push('milk')
    })
    await expect(push).rejects.toThrow('cart was changed by the function given to session.update')
    const spoil = session.update('cart', (cart) => {
      ;(cart as unknown[]).push(() => {})
    })
    await expect(spoil).rejects.toThrow('Return the new value.')
    expect(await session.get('cart')).toEqual(['tea'])
  },
)

test('a function that returns undefined for a value as it was removes it, without a word', async () => {
  const { session, told } = open()
  session.set('cart', ['tea'])
  session.set('visits', 1)
  await session.update('cart', () => undefined)
  await session.update('visits', () => undefined)
  expect(await session.entries()).toEqual([])
  expect(told).toEqual([])
})

test('a value that is made and not returned is told once of each key', async () => {
  const { session, told } = open()
  const add = (cart: unknown = []): void => void (cart as string[]).push('tea')
  for (const key of ['cart', 'cart', 'wishes']) await session.update(key, add)
  expect(told.map(({ facts }) => facts)).toEqual([{ key: 'cart' }, { key: 'wishes' }])
  expect(told[0]?.message).toContain('session.update stored nothing')
})

test('in production nothing is compared', async () => {
  vi.stubEnv('NODE_ENV', 'production')
  const { session, told } = open()
  vi.unstubAllEnvs()
  session.set('cart', ['tea'])
  await session.update('cart', (cart) => void (cart as string[]).push('milk'))
  await session.update('other', () => undefined)
  expect(await session.entries()).toEqual([])
  expect(told).toEqual([])
})
