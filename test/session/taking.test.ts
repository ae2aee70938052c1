import { SessionGoneError } from 'pg-sessions'
import { expect, it } from 'vitest'
import { eachStore } from '../support/each-store.ts'

eachStore((open) => {
  it('gives a value once, and it is gone before the response', async () => {
    const { visitor, watched } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('notice', 'Welcome'))
    watched.calls.length = 0
    const request = ann.open()
    expect(await request.session.take('notice')).toBe('Welcome')
    expect(watched.calls).toEqual(['load', 'take'])
    expect(await request.session.has('notice')).toBe(false)
    expect(await request.session.take('notice')).toBeUndefined()
    expect(await ann.visit((session) => session.take('notice'))).toBeUndefined()
  })

  it('asks for nothing when there is nothing to take', async () => {
    const { visitor, watched, stored } = await open()
    const ann = visitor()
    expect(await ann.visit((session) => session.take('notice'))).toBeUndefined()
    expect(watched.calls).toEqual([])
    expect(await stored()).toBe(0)
    await ann.visit((session) => session.set('other', 1))
    watched.calls.length = 0
    expect(await ann.visit((session) => session.take('notice'))).toBeUndefined()
    expect(watched.calls).toEqual(['load'])
  })

  it('gives the value to one of many requests that take it at once', async () => {
    const { visitor } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('notice', 'once'))
    const requests = Array.from({ length: 8 }, () => ann.twin().open())
    await Promise.all(requests.map(({ session }) => session.load()))
    const taken = await Promise.all(requests.map(({ session }) => session.take('notice')))
    expect(taken.filter((value) => value !== undefined)).toEqual(['once'])
  })

  it('takes what the request itself has just set, before or after it is stored', async () => {
    const { visitor, stored } = await open()
    const ann = visitor()
    await ann.visit(async (session) => {
      session.set('notice', 'first')
      expect(await session.take('notice')).toBe('first')
      expect(await session.has('notice')).toBe(false)
    })
    expect(await stored(), 'nothing was left to store').toBe(0)

    await ann.visit((session) => session.set('notice', 'stored'))
    await ann.visit(async (session) => {
      session.set('notice', 'newer')
      expect(await session.take('notice')).toBe('newer')
      expect(await session.take('notice')).toBeUndefined()
    })
    expect(await ann.visit((session) => session.entries())).toEqual([])
  })

  it('takes nothing that the request has deleted or cleared', async () => {
    const { visitor } = await open()
    const ann = visitor()
    await ann.visit((session) => {
      session.set('a', 1)
      session.set('b', 1)
    })
    await ann.visit(async (session) => {
      await session.load()
      session.delete('a')
      expect(await session.take('a')).toBeUndefined()
      session.clear()
      expect(await session.take('b')).toBeUndefined()
      session.set('c', 1)
      expect(await session.take('c')).toBe(1)
    })
    expect(await ann.visit((session) => session.entries())).toEqual([])
  })

  it('gives the value as it is stored at that moment', async () => {
    const { visitor } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('notice', 'old'))
    const request = ann.open()
    await request.session.load()
    await ann.twin().visit((session) => session.set('notice', 'new'))
    expect(await request.session.take('notice')).toBe('new')
  })

  it('says that the session is gone', async () => {
    const { visitor } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('notice', 'late'))
    const late = ann.twin().open()
    await late.session.load()
    await ann.visit((session) => session.destroy())
    await expect(late.session.take('notice')).rejects.toThrow(SessionGoneError)
  })
})
