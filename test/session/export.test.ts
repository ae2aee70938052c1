import { createSessions, MemoryStore } from 'pg-sessions'
import { structuredCloneCodec } from 'pg-sessions/structured-clone'
import { expect, it } from 'vitest'

it('exports values that JSON does not have, and entries that do not decode', async () => {
  const store = new MemoryStore()
  const codec = structuredCloneCodec
  const sessions = createSessions({ store, codec, log: false })
  const exchange = sessions.open(null)
  const round: { self?: unknown } = {}
  round.self = round
  const value = {
    at: new Date(0),
    map: new Map([['a', 1n]]),
    set: new Set([new Date(Number.NaN), Number.POSITIVE_INFINITY]),
    bytes: new Uint8Array([1, 2]),
    pattern: /a/g,
    round,
  }
  exchange.session.set('value', value)
  await exchange.session.signIn('ann')
  const [session] = await store.readUser('ann')
  await store.save({
    id: session?.id ?? '',
    userId: 'ann',
    lifetime: { idle: 1000, purge: 1000 },
    written: [{ key: codec.encodeKey('broken'), value: new Uint8Array([0xff]) }],
    deleted: [],
  })
  const [exported] = (await sessions.exportUser('ann')).sessions
  expect(JSON.parse(JSON.stringify(exported?.data))).toEqual({
    value: {
      at: '1970-01-01T00:00:00.000Z',
      map: [['a', '1']],
      set: [null, 'Infinity'],
      bytes: 'AQI=',
      pattern: '/a/g',
      round: { self: null },
    },
  })
  expect(exported?.undecodable).toEqual([{ key: expect.any(String), value: '/w==' }])
})
