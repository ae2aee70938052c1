import {
  ConfigurationError,
  createSessions,
  type MaxPerUser,
  MemoryStore,
  TooManySessionsError,
  type WatchEndReason,
} from 'pg-sessions'
import { describe, expect, it } from 'vitest'
import { eachStore } from '../support/each-store.ts'

eachStore((open) => {
  it('50 sign-ins at once, over two processes, leave as many sessions as the cap allows', async () => {
    const maxPerUser: MaxPerUser = { count: 5, beyond: 'end-oldest' }
    const { sessions, alongside, events } = await open({ maxPerUser })
    const other = alongside({ maxPerUser, log: false })
    await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        const exchange = (n % 2 === 0 ? sessions : other).open(null)
        if (n % 4 < 2) exchange.session.set('basket', [n])
        await exchange.session.signIn('ann')
        await exchange.commit()
      }),
    )
    const left = await sessions.listByUser('ann')
    expect(left).toHaveLength(5)
    const evicted = events.flatMap(([name, event]) =>
      name === 'destroyed' && event.reason === 'evicted' ? [event.sessionId] : [],
    )
    expect(evicted).not.toEqual([])
    for (const { id } of left) expect(evicted).not.toContain(id)
  })

  it('tells the ended session why: by an event, and by its watch in any process', async () => {
    const maxPerUser: MaxPerUser = { count: 1, beyond: 'end-oldest' }
    const { visitor, sessions, alongside, events, settled } = await open({ maxPerUser })
    const [desk, phone] = [visitor(), visitor()]
    await desk.visit((session) => session.signIn('ann'))
    const [old] = await sessions.listByUser('ann')
    const other = alongside()
    const endOf = (id: string): Promise<WatchEndReason> =>
      new Promise((resolve) => other.watch(id, resolve))
    // Until it listens, another process learns of the end only, by asking.
    await expect
      .poll(async () => {
        const [last] = await sessions.listByUser('bob')
        const end = last === undefined ? null : endOf(last.id)
        await visitor().visit((session) => session.signIn('bob'))
        return end
      })
      .toBe('evicted')
    events.length = 0
    const end = endOf(old?.id ?? '')
    // Each watch begins with a look of its own.
    await new Promise((resolve) => setImmediate(resolve))
    await settled()
    await phone.visit((session) => session.signIn('ann'))
    expect(await end).toBe('evicted')
    expect(events).toContainEqual([
      'destroyed',
      { sessionId: old?.id, userId: 'ann', reason: 'evicted' },
    ])
    expect(await desk.visit((session) => session.load().then(() => session.userId))).toBeNull()
    expect(await phone.visit((session) => session.load().then(() => session.userId))).toBe('ann')
    // A sign-in of the same session again ends none.
    await phone.visit((session) => session.signIn('ann'))
    expect(await sessions.listByUser('ann')).toHaveLength(1)
  })

  it('refuses a sign-in beyond the cap, and the visitor keeps session, token and data', async () => {
    const { visitor, sessions, events } = await open({ maxPerUser: { count: 1, beyond: 'refuse' } })
    const [desk, phone] = [visitor(), visitor()]
    await desk.visit((session) => session.signIn('ann'))
    await phone.visit((session) => session.set('basket', ['apple']))
    const { token } = phone
    events.length = 0
    const request = phone.open()
    const refused = await request.session.signIn('ann').catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(TooManySessionsError)
    expect(refused).toMatchObject({ code: 'ERR_TOO_MANY_SESSIONS', statusCode: 409, count: 1 })
    await request.commit()
    expect(phone.token).toBe(token)
    expect(await phone.visit((session) => session.get('basket'))).toEqual(['apple'])
    expect(events.map(([name]) => name)).toEqual([])
    const [old] = await sessions.listByUser('ann')
    await sessions.destroyById(old?.id ?? '')
    await phone.visit((session) => session.signIn('ann'))
    expect(await phone.visit((session) => session.get('basket'))).toEqual(['apple'])
  })
})

describe('the setting maxPerUser', () => {
  it.each([
    [5, 'maxPerUser must be an object'],
    [{ count: 0, beyond: 'refuse' }, 'maxPerUser.count must be a whole number of at least 1'],
    [{ count: 5 }, "maxPerUser.beyond must be 'end-oldest' or 'refuse'"],
    [{ count: 5, beyond: 'ask' }, "maxPerUser.beyond must be 'end-oldest' or 'refuse'"],
    [{ counts: 5, beyond: 'refuse' }, 'Did you mean count?'],
  ])('%j is refused with what to write', (maxPerUser, message) => {
    const make = () =>
      createSessions({ store: new MemoryStore(), maxPerUser: maxPerUser as MaxPerUser })
    expect(make).toThrow(ConfigurationError)
    expect(make).toThrow(message)
  })

  it('is refused with a store that cannot keep it', () => {
    const store = new MemoryStore()
    Object.defineProperty(store, 'limitsUsers', { value: undefined })
    const make = () => createSessions({ store, maxPerUser: { count: 5, beyond: 'refuse' } })
    expect(make).toThrow("The store 'memory' cannot limit the sessions of a user")
  })
})
