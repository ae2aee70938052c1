import { NotLoadedError } from 'pg-sessions'
import { expect, it } from 'vitest'
import { eachStore } from '../support/each-store.ts'

eachStore((open) => {
  it('a visitor without a cookie has an anonymous, empty session, and asks the store nothing', async () => {
    const { visitor, watched } = await open()
    await visitor().visit(async (session) => {
      expect(await session.get('basket')).toBeUndefined()
      expect(await session.has('basket')).toBe(false)
      expect(await session.entries()).toEqual([])
      await session.load()
      expect(session.data).toEqual({})
      const { id, userId, createdAt, authenticatedAt, expiresAt, isNew } = session
      expect([id, userId, createdAt, authenticatedAt, expiresAt]).toEqual(Array(5).fill(null))
      expect(isNew).toBe(true)
    })
    expect(watched.calls).toEqual([])
  })

  it('what a request sets, the next one reads', async () => {
    const { visitor } = await open()
    const ann = visitor()
    await ann.visit((session) => {
      session.set('basket', ['apple'])
      session.set('theme', 'dark')
      session.set('nothing', null)
    })
    await ann.visit(async (session) => {
      expect(await session.get('basket')).toEqual(['apple'])
      expect(await session.has('nothing')).toBe(true)
      expect(await session.get('nothing')).toBeNull()
      expect(new Map(await session.entries())).toEqual(
        new Map<string, unknown>([
          ['basket', ['apple']],
          ['theme', 'dark'],
          ['nothing', null],
        ]),
      )
    })
  })

  it('a request reads its own changes before they are saved', async () => {
    const { visitor } = await open()
    const ann = visitor()
    await ann.visit((session) => {
      session.set('kept', 1)
      session.set('changed', 1)
      session.set('removed', 1)
    })
    await ann.visit(async (session) => {
      session.set('changed', 2)
      session.set('added', 2)
      session.delete('removed')
      expect(await session.get('changed')).toBe(2)
      expect(await session.has('removed')).toBe(false)
      expect(Object.fromEntries(await session.entries())).toEqual({ kept: 1, changed: 2, added: 2 })
      session.delete('added')
      session.set('removed', 3)
      expect({ ...session.data }).toEqual({ kept: 1, changed: 2, removed: 3 })
    })
    const stored = await ann.visit((session) => session.entries())
    expect(Object.fromEntries(stored)).toEqual({ kept: 1, changed: 2, removed: 3 })
  })

  it('deletes what is there, and takes a key that is not there for no error', async () => {
    const { visitor, watched } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('here', 1))
    await ann.visit((session) => {
      session.delete('here')
      session.delete('never there')
    })
    expect(await ann.visit((session) => session.entries())).toEqual([])

    watched.calls.length = 0
    await ann.visit((session) => session.delete('never there'))
    expect(watched.calls, 'there is nothing to save').toEqual(['load'])
  })

  it('a visitor who only deletes is stored nowhere', async () => {
    const { visitor, stored } = await open()
    const stranger = visitor()
    await stranger.visit((session) => {
      session.set('a', 1)
      session.delete('a')
      session.delete('b')
    })
    expect(stranger.token).toBeNull()
    expect(await stored()).toBe(0)
  })

  it('an unknown token that only deletes is stored nowhere either', async () => {
    const { visitor, stored } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    const thief = ann.twin()
    await ann.visit((session) => session.destroy())
    await thief.visit((session) => session.delete('a'))
    expect(await stored()).toBe(0)
  })

  it('deletes a key that no store could hold, also while it begins a session', async () => {
    const { visitor } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    const late = ann.twin()
    await ann.visit((session) => session.destroy())
    await late.visit((session) => {
      session.delete('\ud800')
      session.set('b', 2)
    })
    expect(await late.visit((session) => session.entries())).toEqual([['b', 2]])
  })

  it('the session is asked once, however much is read, and at once', async () => {
    const { visitor, watched } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    watched.calls.length = 0
    await ann.visit(async (session) => {
      await Promise.all([session.get('a'), session.has('a'), session.load(), session.entries()])
      await session.get('b')
      expect({ ...session.data }).toEqual({ a: 1 })
    })
    expect(watched.calls).toEqual(['load'])
  })

  it('reads synchronously after load, and says what to do before it', async () => {
    const { visitor } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    await ann.visit(async (session) => {
      const getters = {
        data: () => session.data,
        id: () => session.id,
        userId: () => session.userId,
        createdAt: () => session.createdAt,
        authenticatedAt: () => session.authenticatedAt,
        expiresAt: () => session.expiresAt,
        isNew: () => session.isNew,
      }
      for (const [name, get] of Object.entries(getters)) {
        expect(get).toThrow(NotLoadedError)
        expect(get).toThrow(
          `session.${name} is known once the session is loaded: await session.load() first.`,
        )
      }
      await session.load()
      for (const get of Object.values(getters)) expect(get).not.toThrow()
    })
  })

  it('tells its id, its times, and whether it is new', async () => {
    const { visitor } = await open({ idleTimeout: '1h' })
    const ann = visitor()
    const first = ann.open()
    first.session.set('a', 1)
    await first.commit()
    expect(first.session.isNew).toBe(true)
    expect(first.session.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-/)
    const { createdAt, expiresAt } = first.session
    expect(Number(expiresAt) - Number(createdAt)).toBe(3_600_000)

    await ann.visit(async (session) => {
      await session.load()
      expect(session.isNew).toBe(false)
      expect(session.id).toBe(first.session.id)
      expect(session.createdAt).toEqual(createdAt)
      expect([session.userId, session.authenticatedAt]).toEqual([null, null])
    })
  })

  it('keys called like parts of Object.prototype are plain keys', async () => {
    const { visitor } = await open()
    const keys = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '']
    const ann = visitor()
    await ann.visit(async (session) => {
      for (const key of keys) {
        expect(await session.get(key)).toBeUndefined()
        expect(await session.has(key)).toBe(false)
      }
      for (const key of keys) session.set(key, { isAdmin: key })
      expect(Object.keys(session.data)).toEqual(keys)
    })
    await ann.visit(async (session) => {
      await session.load()
      const { data } = session
      expect(Object.getPrototypeOf(data)).toBeNull()
      expect(data.isAdmin).toBeUndefined()
      expect(new Set(Object.keys(data))).toEqual(new Set(keys))
      for (const key of keys) expect(await session.get(key)).toEqual({ isAdmin: key })
      session.delete('__proto__')
      await session.update('constructor', () => 'updated')
      expect(await session.take('toString')).toEqual({ isAdmin: 'toString' })
    })
    const left = await ann.visit((session) => session.entries())
    expect(left.map(([key]) => key).sort()).toEqual([
      '',
      'constructor',
      'hasOwnProperty',
      'prototype',
    ])
    expect(({} as Record<string, unknown>).isAdmin).toBeUndefined()
  })

  it('a value with a __proto__ of its own comes back as it was', async () => {
    const { visitor } = await open()
    const ann = visitor()
    const sent: unknown = JSON.parse('{"__proto__": {"isAdmin": true}}')
    await ann.visit((session) => session.set('body', sent))
    const body = (await ann.visit((session) => session.get('body'))) as Record<string, unknown>
    expect(Object.getPrototypeOf(body)).toBe(Object.prototype)
    expect(body.isAdmin).toBeUndefined()
    expect(JSON.stringify(body)).toBe('{"__proto__":{"isAdmin":true}}')
  })

  it('a store that cannot be asked is an error, never an empty session', async () => {
    const { visitor, watched } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    const failure = Object.assign(new Error('down'), { code: 'ERR_STORE_UNAVAILABLE' })
    await ann.visit(async (session) => {
      for (const read of [
        () => session.get('a'),
        () => session.has('a'),
        () => session.entries(),
        () => session.load(),
        () => session.take('a'),
        () => session.update('a', () => 2),
      ]) {
        watched.fail('load', failure)
        await expect(read()).rejects.toBe(failure)
        expect(() => session.id).toThrow(NotLoadedError)
      }
      expect(await session.get('a'), 'the next call asks again').toBe(1)
    })
  })
})
