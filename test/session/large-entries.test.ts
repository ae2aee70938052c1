import { createSessions, MemoryStore, type Sessions } from 'pg-sessions'
import { beforeEach, describe, expect, test } from 'vitest'

interface Visit {
  notice: string
  basket: string
  other: string
}

const LARGE = 'x'.repeat(10_000)

let store: MemoryStore
let sessions: Sessions<Visit>
let cookie: string

beforeEach(async () => {
  store = new MemoryStore()
  sessions = createSessions<Visit>({ store, log: false })
  const exchange = sessions.open(null)
  const { session } = exchange
  session.set('notice', 'hello')
  session.set('basket', LARGE)
  session.set('other', LARGE)
  const { setCookies } = await exchange.commit()
  cookie = setCookies[0]?.split(';')[0] ?? ''
})

const visit = () => sessions.open(cookie).session

describe('a large value', () => {
  test('is read when its key is asked for', async () => {
    const session = visit()
    expect(await session.get('notice')).toBe('hello')
    expect(await session.has('basket')).toBe(true)
    expect(await session.get('basket')).toBe(LARGE)
  })

  test('is among the entries, and in the data once the session is loaded', async () => {
    expect(Object.fromEntries(await visit().entries())).toMatchObject({ basket: LARGE })
    const session = visit()
    await session.get('notice')
    await session.load()
    expect(session.data).toEqual({ notice: 'hello', basket: LARGE, other: LARGE })
  })

  test('is not lost by a second click on log in: that one is refused, unless it brings the value along', async () => {
    const [first, second, third] = [visit(), visit(), visit()]
    await second.get('notice')
    await third.load()
    await first.signIn('ann')
    await expect(second.signIn('ann')).rejects.toMatchObject({ code: 'ERR_SESSION_GONE' })
    await third.signIn('ann')
    expect(third.data).toEqual({ notice: 'hello', basket: LARGE, other: LARGE })
  })

  test('is not taken for absent: reading the data without load() is refused', async () => {
    const session = visit()
    await session.get('notice')
    expect(() => session.data).toThrow(expect.objectContaining({ code: 'ERR_NOT_LOADED' }))
  })

  test('that this request has set, deleted or cleared is not asked for', async () => {
    const session = visit()
    await session.get('notice')
    session.set('basket', 'small')
    session.delete('other')
    expect(await session.get('basket')).toBe('small')
    expect(await session.has('other')).toBe(false)
    session.clear()
    expect(await session.entries()).toEqual([])
  })

  test('that another request has deleted meanwhile is absent', async () => {
    const session = visit()
    await session.get('notice')
    const other = visit()
    other.delete('basket')
    await other.save()
    expect(await session.get('basket')).toBeUndefined()
    expect(await session.get('other')).toBe(LARGE)
  })

  test('of a session that has ended meanwhile is refused', async () => {
    const session = visit()
    await session.get('notice')
    const other = visit()
    other.destroy()
    await other.save()
    await expect(session.get('basket')).rejects.toMatchObject({ code: 'ERR_SESSION_GONE' })
  })

  test('is still read after this request has replaced the token', async () => {
    const session = visit()
    await session.get('notice')
    await session.signIn('ann')
    expect(await session.get('basket')).toBe(LARGE)
  })

  test('is updated from what it holds, and taken', async () => {
    await visit().update('basket', (basket = '') => `${basket}y`)
    expect(await visit().get('basket')).toBe(`${LARGE}y`)
    expect(await visit().take('basket')).toBe(`${LARGE}y`)
    expect(await visit().has('basket')).toBe(false)
  })

  test('counts with its size for the limits', async () => {
    const limits = { valueBytes: 20_000, sessionBytes: 25_000, keys: 10 }
    const tight = createSessions<Visit>({ store, limits, log: false })
    const { session } = tight.open(cookie)
    await session.get('notice')
    session.set('notice', LARGE)
    await expect(session.save()).rejects.toMatchObject({ code: 'ERR_LIMIT_EXCEEDED' })
  })
})

test('the threshold is a setting', async () => {
  const eager = createSessions<Visit>({ store, largeEntries: 20_000, log: false })
  const { session } = eager.open(cookie)
  await session.get('notice')
  expect(session.data).toMatchObject({ basket: LARGE })
})
