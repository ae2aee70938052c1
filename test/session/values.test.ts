import { InvalidValueError, jsonCodec } from 'pg-sessions'
import { structuredCloneCodec } from 'pg-sessions/structured-clone'
import { expect, it } from 'vitest'
import { type Bench, eachStore } from '../support/each-store.ts'
import { Visitor } from '../support/each-store-visitor.ts'

type Data = Record<string, unknown>

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Puts bytes into the store past the codec, as another release or a person with SQL would. */
async function plant(
  { watched }: Bench<Data>,
  { visit }: { visit: Visitor<Data>['visit'] },
  entries: readonly (readonly [key: Uint8Array, value: Uint8Array])[],
): Promise<void> {
  const id = await visit(async (session) => session.load().then(() => String(session.id)))
  await watched.store.save({
    id,
    userId: null,
    lifetime: { idle: 60_000, purge: 60_000 },
    written: entries.map(([key, value]) => ({ key, value })),
    deleted: [],
  })
}

eachStore((open) => {
  it('stores the value as it was when it was set', async () => {
    const { visitor } = await open()
    const ann = visitor()
    const basket = ['apple']
    await ann.visit(async (session) => {
      session.set('basket', basket)
      basket.push('pear')
      expect(await session.get('basket')).toEqual(['apple'])
    })
    expect(await ann.visit((session) => session.get('basket'))).toEqual(['apple'])
  })

  it('gives each request a copy of its own, and changing it in place throws', async () => {
    const { visitor, watched } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('basket', ['apple']))
    watched.calls.length = 0
    const [one, other] = [ann.open(), ann.open()]
    const mine = (await one.session.get('basket')) as string[]
    expect(() => mine.push('pear')).toThrow(TypeError)
    expect(await other.session.get('basket')).toEqual(['apple'])
    await one.commit()
    expect(watched.calls).toEqual(['load', 'load'])
    expect(await ann.visit((session) => session.get('basket'))).toEqual(['apple'])
  })

  it('refuses what JSON cannot give back, names the place, and writes nothing of it', async () => {
    const { visitor } = await open()
    const cycle: Record<string, unknown> = {}
    cycle.self = cycle
    let deep: unknown = 1
    for (let level = 0; level < 9000; level += 1) deep = [deep]
    const refused: [value: unknown, path: string][] = [
      [undefined, 'basket'],
      [{ items: [{ price: Number.NaN }] }, 'basket.items[0].price'],
      [[1, Number.POSITIVE_INFINITY], 'basket[1]'],
      [-0, 'basket'],
      [{ since: new Date(0) }, 'basket.since'],
      [{ 'odd key': new Map() }, 'basket["odd key"]'],
      [[new Set()], 'basket[0]'],
      [{ n: 1n }, 'basket.n'],
      [{ text: 'a\ud800b' }, 'basket.text'],
      [cycle, 'basket.self'],
      [{ call: () => 1 }, 'basket.call'],
      [Symbol('s'), 'basket'],
      [deep, 'basket'],
    ]
    const ann = visitor()
    await ann.visit((session) => session.set('basket', 'old'))
    await ann.visit(async (session) => {
      for (const [value, path] of refused) {
        const set = (): void => session.set('basket', value)
        expect(set).toThrow(InvalidValueError)
        expect(set).toThrow(expect.objectContaining({ code: 'ERR_INVALID_VALUE', path }))
        if (value === undefined) continue
        await expect(session.update('basket', () => value)).rejects.toThrow(InvalidValueError)
      }
      session.set('other', 'good')
      expect(await session.get('basket')).toBe('old')
    })
    expect(Object.fromEntries(await ann.visit((session) => session.entries()))).toEqual({
      basket: 'old',
      other: 'good',
    })
  })

  it('refuses a key that cannot be stored, and other keys are unaffected', async () => {
    const { visitor } = await open()
    const ann = visitor()
    await ann.visit(async (session) => {
      for (const key of ['a\0b', '\ud800', 7 as unknown as string]) {
        expect(() => session.set(key, 1)).toThrow(InvalidValueError)
        await expect(session.update(key, () => 1)).rejects.toThrow(InvalidValueError)
      }
      for (const key of ['a\0b', '\ud800']) {
        expect(await session.get(key)).toBeUndefined()
        expect(await session.take(key)).toBeUndefined()
        session.delete(key)
      }
      await expect(session.get(7 as never)).rejects.toThrow('A key must be a string')
      await expect(session.take(7 as never)).rejects.toThrow('A key must be a string')
      expect(() => session.delete(7 as never)).toThrow('A key must be a string')
      session.set('good', 1)
    })
    expect(await ann.visit((session) => session.entries())).toEqual([['good', 1]])
  })

  it('no message quotes the value that it refuses', async () => {
    const { visitor } = await open()
    const { session } = visitor().open()
    const secret = 'sw0rdfish'
    for (const value of [
      { since: new Date(), secret },
      [secret, undefined],
      new (class Hidden {
        secret = secret
      })(),
    ]) {
      const refuse = (): void => session.set('a', value)
      expect(refuse).toThrow(InvalidValueError)
      expect(refuse).not.toThrow(secret)
    }
  })

  it('keeps any text and any JSON exactly', async () => {
    const { visitor } = await open()
    const values = [
      null,
      true,
      0,
      1e21,
      5e-324,
      Number.MAX_SAFE_INTEGER,
      '',
      '\0',
      '😀 ﻿ \u2028',
      [],
      {},
      [null, [{}]],
      { '': 1, ' ': 2, __proto__x: 3, a: { b: [1, { c: 'ü' }] } },
    ]
    const ann = visitor()
    await ann.visit((session) => {
      for (const [index, value] of values.entries()) session.set(`ä ${index} '"\\`, value)
    })
    await ann.visit(async (session) => {
      for (const [index, value] of values.entries()) {
        expect(await session.get(`ä ${index} '"\\`)).toStrictEqual(value)
      }
    })
  })

  it('keeps dates, maps, sets, bigints and cycles with the structured clone codec', async () => {
    const { visitor } = await open({ codec: structuredCloneCodec })
    const cycle: { self?: unknown; list: number[] } = { list: [1, 2] }
    cycle.self = cycle
    const values = {
      date: new Date(1_234_567_890_123),
      map: new Map<unknown, unknown>([
        [1, new Set(['a', 2n])],
        [{ key: true }, undefined],
      ]),
      bigint: 2n ** 80n,
      numbers: [Number.NaN, Number.NEGATIVE_INFINITY, -0],
      pattern: /a+/giu,
      bytes: new Uint8Array([0, 255]),
      cycle,
    }
    const ann = visitor()
    await ann.visit((session) => {
      for (const [key, value] of Object.entries(values)) session.set(key, value)
    })
    await ann.visit(async (session) => {
      for (const [key, value] of Object.entries(values)) {
        expect(await session.get(key), key).toStrictEqual(value)
      }
      const read = (await session.get('cycle')) as typeof cycle
      expect(read.self).toBe(read)
      expect(() => session.set('f', () => 1)).toThrow(InvalidValueError)
      await session.update('date', (date) => new Date(Number(date) + 1))
      expect(await session.take('date')).toEqual(new Date(1_234_567_890_124))
    })
  })

  it('stored bytes that do not decode count as absent, with one event for each, and can be replaced', async () => {
    const bench = await open()
    const { visitor, events, lines } = bench
    const ann = visitor()
    await ann.visit((session) => session.set('good', 1))
    await plant(bench, { visit: (use) => ann.visit(use) }, [
      [bytes('broken'), bytes('{"half":')],
      [bytes('binary'), new Uint8Array([0xff, 0xfe])],
      [new Uint8Array([0xff]), bytes('1')],
    ])
    events.length = 0
    lines.length = 0
    const id = await ann.visit(async (session) => {
      expect(await session.get('broken')).toBeUndefined()
      expect(await session.has('broken')).toBe(false)
      expect(await session.has('binary')).toBe(false)
      expect(await session.entries()).toEqual([['good', 1]])
      expect({ ...session.data }).toEqual({ good: 1 })
      return session.id
    })
    const failures = [null, 'broken', 'binary'].map((key) => [
      'decodeFailed',
      { sessionId: id, key, codec: 'json' },
    ])
    expect(events).toEqual(failures)
    expect(lines.map(({ level }) => level)).toEqual(['warn', 'warn', 'warn'])
    expect(JSON.stringify(lines)).not.toContain('half')

    await ann.visit(async (session) => {
      await session.update('broken', (broken) => [broken === undefined])
      expect(await session.take('binary')).toBeUndefined()
    })
    await ann.visit(async (session) => {
      expect(Object.fromEntries(await session.entries())).toEqual({ good: 1, broken: [true] })
      expect(events.filter(([name]) => name === 'decodeFailed').length).toBeGreaterThan(3)
    })
  })

  it('what another codec has written counts as absent', async () => {
    const { visitor, alongside, events } = await open()
    const before = visitor()
    await before.visit((session) => session.set('a', 'text'))
    const ann = new Visitor(alongside({ codec: structuredCloneCodec }), before.token)
    expect(await ann.visit((session) => session.get('a'))).toBeUndefined()
    await ann.visit((session) => session.set('b', new Date(0)))
    expect(await before.visit((session) => session.get('a'))).toBe('text')
    expect(events.map(([name]) => name)).toEqual(['created'])
  })

  it('another error of a codec is not an undecodable value, and is not hidden', async () => {
    const failure = new TypeError('a fault of the codec itself')
    let isFaulty = false
    const { visitor } = await open({
      codec: {
        ...jsonCodec,
        decode(value) {
          if (isFaulty) throw failure
          return jsonCodec.decode(value)
        },
      },
    })
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    isFaulty = true
    await expect(ann.visit((session) => session.get('a'))).rejects.toBe(failure)
  })
})
