import { LimitExceededError } from 'pg-sessions'
import { expect, it } from 'vitest'
import { eachStore } from '../support/each-store.ts'
import { Visitor } from '../support/each-store-visitor.ts'

const text = (bytes: number): string => 'x'.repeat(bytes - 2) // and two quotes

eachStore((open) => {
  it('refuses a key that no index can hold at once, by name, and takes the longest that fits', async () => {
    const { visitor } = await open()
    const ann = visitor()
    await ann.visit(async (session) => {
      expect(() => session.set(`seen:${'x'.repeat(3000)}`, 1)).toThrow(
        /The key \["seen:x+…"\] takes 3005 bytes; a key may take 2676/,
      )
      await expect(session.update('y'.repeat(2677), () => 1)).rejects.toThrow(LimitExceededError)
      session.set('z'.repeat(2676), 1)
    })
    expect(await ann.visit((session) => session.has('z'.repeat(2676)))).toBe(true)
  })

  it('takes a value of exactly the size allowed, in bytes as stored, and none larger', async () => {
    const { visitor } = await open({ limits: { valueBytes: 100 } })
    const ann = visitor()
    await ann.visit(async (session) => {
      session.set('a', text(100))
      expect(() => session.set('a', text(101))).toThrow(LimitExceededError)
      expect(() => session.set('a', 'ü'.repeat(50))).toThrow(
        'takes 102 bytes; limits.valueBytes allows 100.',
      )
      await expect(session.update('b', () => text(101))).rejects.toMatchObject({
        code: 'ERR_LIMIT_EXCEEDED',
        statusCode: 413,
      })
    })
    expect(await ann.visit((session) => session.entries())).toEqual([['a', text(100)]])
  })

  it('takes a session of exactly the size allowed, keys included, and none larger', async () => {
    const { visitor } = await open({ limits: { valueBytes: 100, sessionBytes: 150 } })
    const ann = visitor()
    await ann.visit((session) => {
      session.set('key a', text(70))
      session.set('key b', text(70))
    })
    await ann.visit(async (session) => {
      session.set('key b', text(71))
      await expect(session.save()).rejects.toThrow(
        'The session would hold 151 bytes; limits.sessionBytes allows 150. Nothing was saved.',
      )
      session.set('key b', text(60))
      session.set('other', text(5))
    })
    expect(Object.fromEntries(await ann.visit((session) => session.entries()))).toEqual({
      'key a': text(70),
      'key b': text(60),
      other: text(5),
    })
  })

  it('takes as many keys as allowed, and no more', async () => {
    const { visitor } = await open({ limits: { keys: 3 } })
    const ann = visitor()
    await ann.visit((session) => {
      for (const key of ['a', 'b', 'c']) session.set(key, 1)
    })
    await ann.visit(async (session) => {
      session.set('d', 1)
      await expect(session.save()).rejects.toThrow(
        'The session would hold 4 keys; limits.keys allows 3. Nothing was saved.',
      )
      session.delete('a')
    })
    const keys = await ann.visit((session) => session.entries())
    expect(keys.map(([key]) => key).sort()).toEqual(['b', 'c', 'd'])
  })

  it('writes nothing when it would be too much, and the old data is intact', async () => {
    const { visitor, watched, stored } = await open({ limits: { keys: 2 } })
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    watched.calls.length = 0
    const { session, exchange, commit } = ann.open()
    session.set('a', 2)
    session.set('b', 2)
    session.set('c', 2)
    await expect(commit()).rejects.toThrow(LimitExceededError)
    expect(watched.calls, 'the store was not asked to').toEqual(['load'])
    exchange.discard()
    expect(await ann.visit((it) => it.entries())).toEqual([['a', 1]])

    const stranger = visitor().open()
    for (const key of ['a', 'b', 'c']) stranger.session.set(key, 1)
    await expect(stranger.commit()).rejects.toThrow(LimitExceededError)
    expect(await stored(), 'nor does a session begin').toBe(1)
  })

  it('an update that would be too much is refused', async () => {
    const { visitor } = await open({ limits: { keys: 1, valueBytes: 50, sessionBytes: 50 } })
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    await ann.visit(async (session) => {
      await expect(session.update('b', () => 1)).rejects.toThrow(LimitExceededError)
      await expect(session.update('a', () => text(50))).rejects.toThrow(LimitExceededError)
      await session.update('a', () => text(49))
    })
    expect(await ann.visit((session) => session.entries())).toEqual([['a', text(49)]])
  })

  it('what a clear or a sign-in drops does not count', async () => {
    const { visitor } = await open({ limits: { keys: 1 } })
    const ann = visitor()
    await ann.visit(async (session) => {
      await session.signIn('ann')
      session.set('a', 1)
    })
    await ann.visit((session) => {
      session.clear()
      session.set('b', 1)
    })
    expect(await ann.visit((session) => session.entries())).toEqual([['b', 1]])
  })

  it('a session over limits that were lowered can be read, shrunk and tidied up', async () => {
    const { visitor, alongside } = await open()
    const before = visitor()
    await before.visit((session) => {
      for (const key of ['a', 'b', 'c', 'd']) session.set(key, text(80))
    })
    const ann = new Visitor(
      alongside({ limits: { keys: 2, valueBytes: 60, sessionBytes: 100 } }),
      before.token,
    )
    await ann.visit(async (session) => {
      expect(await session.get('a')).toBe(text(80))
      session.set('a', text(50))
      session.delete('b')
    })
    await ann.visit(async (session) => {
      await session.update('c', () => text(40))
      session.set('e', 1)
      await expect(session.save(), 'growing is refused').rejects.toThrow(LimitExceededError)
      session.delete('d')
    })
    const keys = await ann.visit((session) => session.entries())
    expect(keys.map(([key]) => key).sort()).toEqual(['a', 'c', 'e'])
  })
})
