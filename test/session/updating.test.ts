import { SessionGoneError, StoreUnavailableError } from 'pg-sessions'
import { expect, it } from 'vitest'
import { eachStore } from '../support/each-store.ts'

const increment = (n: unknown): number => Number(n ?? 0) + 1

eachStore((open) => {
  it('replaces a value at once by what is made of it', async () => {
    const { visitor, watched } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('n', 1))
    watched.calls.length = 0
    const request = ann.open()
    await request.session.update('n', increment)
    expect(watched.calls).toEqual(['load', 'update'])
    expect(await ann.visit((session) => session.get('n')), 'before the response').toBe(2)
    expect(await request.session.get('n')).toBe(2)
  })

  it('begins a session for a visitor without one', async () => {
    const { visitor } = await open()
    const ann = visitor()
    await ann.visit((session) => session.update('n', increment))
    expect(ann.token).not.toBeNull()
    expect(await ann.visit((session) => session.get('n'))).toBe(1)
  })

  it('removes the key when nothing comes of it, and stores nothing of nothing', async () => {
    const { visitor, stored } = await open()
    const ann = visitor()
    await ann.visit((session) => session.update('n', () => undefined))
    expect(await stored()).toBe(0)
    await ann.visit((session) => session.set('n', 1))
    await ann.visit(async (session) => {
      await session.update('n', () => undefined)
      expect(await session.has('n')).toBe(false)
      await session.update('n', (n) => n)
    })
    expect(await ann.visit((session) => session.entries())).toEqual([])
  })

  it('waits for what it is made of', async () => {
    const { visitor } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('price', 5))
    await ann.visit((session) =>
      session.update('twice', async () => 2 * Number(await session.get('price'))),
    )
    expect(await ann.visit((session) => session.get('twice'))).toBe(10)
  })

  it('sees the change that the same request has pending, and saves it first', async () => {
    const { visitor, watched } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('n', 1))
    watched.calls.length = 0
    await ann.visit(async (session) => {
      session.set('n', 10)
      session.set('other', 1)
      await session.update('n', increment)
      expect(watched.calls).toEqual(['load', 'save', 'update'])
      session.delete('n')
      await session.update('n', increment)
      session.clear()
      await session.update('n', increment)
    })
    expect(await ann.visit((session) => session.entries())).toEqual([['n', 1]])
  })

  it('leaves pending changes of other keys to the save', async () => {
    const { visitor, watched } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('n', 1))
    watched.calls.length = 0
    await ann.visit(async (session) => {
      session.set('other', 1)
      await session.update('n', increment)
      expect(watched.calls).toEqual(['load', 'update'])
    })
    expect(watched.calls).toEqual(['load', 'update', 'save'])
  })

  it('loses no update of another request, however they interleave', async () => {
    const { visitor } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('n', 0))
    const requests = Array.from({ length: 8 }, () => ann.twin().open())
    await Promise.all(requests.map(({ session }) => session.load()))
    await Promise.all(requests.map(({ session }) => session.update('n', increment)))
    expect(await ann.visit((session) => session.get('n'))).toBe(8)
  })

  it('computes again from what a faster request has written', async () => {
    const { visitor, watched } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('n', 1))
    const held = watched.hold('update')
    const seen: unknown[] = []
    const slow = ann.visit((session) =>
      session.update('n', (n) => {
        seen.push(n)
        return increment(n)
      }),
    )
    await held.reached
    await ann.twin().visit((session) => session.set('n', 10))
    held.release()
    await slow
    expect(seen).toEqual([1, 10])
    expect(await ann.visit((session) => session.get('n'))).toBe(11)
  })

  it('computes again from nothing when a faster request has removed the value', async () => {
    const { visitor, watched } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('n', 1))
    const held = watched.hold('update')
    const slow = ann.visit((session) => session.update('n', increment))
    await held.reached
    await ann.twin().visit((session) => session.delete('n'))
    held.release()
    await slow
    expect(await ann.visit((session) => session.get('n'))).toBe(1)
  })

  it('a request of a visitor without a session that updates many times at once loses none', async () => {
    const { visitor, stored } = await open()
    const ann = visitor()
    await ann.visit((session) =>
      Promise.all(Array.from({ length: 5 }, () => session.update('n', increment))).then(() => {}),
    )
    expect(await ann.visit((session) => session.get('n'))).toBe(5)
    expect(await stored()).toBe(1)
  })

  it('an update of one key does not wait for one of another', async () => {
    const { visitor } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('a', 0))
    await ann.visit(async (session) => {
      let finish = (): void => undefined
      const waiting = new Promise<void>((resolve) => {
        finish = resolve
      })
      const slow = session.update('a', async (a) => {
        await waiting
        return increment(a)
      })
      await session.update('b', increment)
      finish()
      await slow
    })
    expect(Object.fromEntries(await ann.visit((session) => session.entries()))).toEqual({
      a: 1,
      b: 1,
    })
  })

  it('writes nothing when the computation fails, and the next one goes on', async () => {
    const { visitor } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('n', 1))
    await ann.visit(async (session) => {
      const failure = new Error('no')
      const failing = session.update('n', () => Promise.reject(failure))
      const following = session.update('n', increment)
      await expect(failing).rejects.toBe(failure)
      await following
      await expect(session.update('n', () => new Date())).rejects.toThrow('n is a Date')
    })
    expect(await ann.visit((session) => session.get('n'))).toBe(2)
  })

  it('gives each computation a value of its own to change', async () => {
    const { visitor } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('list', ['a']))
    await ann.visit(async (session) => {
      const read = (await session.get('list')) as string[]
      await session.update('list', (list) => {
        ;(list as string[]).push('b')
        return list
      })
      expect(read).toEqual(['a'])
      expect(await session.get('list')).toEqual(['a', 'b'])
    })
  })

  it('says that the session is gone, and writes nothing', async () => {
    const { visitor, watched, stored } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('n', 1))
    const held = watched.hold('update')
    const slow = ann.twin().visit((session) => session.update('n', increment))
    await held.reached
    await ann.visit((session) => session.destroy())
    held.release()
    await expect(slow).rejects.toThrow(SessionGoneError)
    expect(await stored()).toBe(0)
  })

  it('an update whose store fails is neither done nor pending', async () => {
    const { visitor, watched } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('n', 1))
    await ann.visit(async (session) => {
      watched.fail('update', new StoreUnavailableError('no answer', 'none'))
      await expect(session.update('n', increment)).rejects.toThrow(StoreUnavailableError)
      expect(await session.get('n')).toBe(1)
    })
    expect(await ann.visit((session) => session.get('n'))).toBe(1)
  })
})
