import { ConfigurationError, createSessions, type Session, type WatchEndReason } from 'pg-sessions'
import { expect, test } from 'vitest'
import { eachStore } from '../support/each-store.ts'

eachStore((open) => {
  test('a watched session that is destroyed anywhere is told of, once', async () => {
    const { sessions, alongside, visitor } = await open()
    const ann = visitor()
    await ann.visit((session) => session.signIn('ann'))
    const session = await ann.visit(loaded)
    const ends: WatchEndReason[] = []
    const end = new Promise<void>((resolve) => {
      sessions.watch(session, (it) => {
        ends.push(it)
        resolve()
      })
    })
    await alongside().destroyByUser('ann')
    await end
    await sessions.destroyById(session.id ?? '')
    expect(ends).toEqual(['gone'])
  })

  test('a session that ended before it was watched is told of too', async () => {
    const { sessions, visitor } = await open()
    const ann = visitor()
    await ann.visit((session) => session.signIn('ann'))
    const { id } = await ann.visit(loaded)
    await sessions.destroyById(id ?? '')
    expect(await ended(sessions, id ?? '')).toBe('gone')
  })

  test('a session that ended between its load and its watch is told of at once', async () => {
    const { sessions, alongside, visitor } = await open()
    const ann = visitor()
    await ann.visit((session) => session.signIn('ann'))
    const session = await ann.visit(loaded)
    await alongside().destroyByUser('ann')
    expect(await ended(sessions, session)).toBe('gone')
  })

  test('a session goes on being watched when its token changes, by rotation or by its own user', async () => {
    const { sessions, visitor } = await open()
    const ann = visitor()
    await ann.visit((session) => session.signIn('ann'))
    const session = await ann.visit(loaded)
    const ends: WatchEndReason[] = []
    const end = new Promise<void>((resolve) => {
      sessions.watch(session, (it) => {
        ends.push(it)
        resolve()
      })
    })
    await ann.visit((it) => it.rotate())
    await ann.visit((it) => it.signIn('ann'))
    // A watch of the present makes the store be asked about all of them.
    const other = sessions.watch(await ann.visit(loaded), () => {})
    expect((await ann.visit(loaded)).id).toBe(session.id)
    other.stop()
    expect(ends).toEqual([])
    await ann.visit((it) => it.signOut())
    await end
    expect(ends).toEqual(['gone'])
  })

  test('everybody who watches the same session is told, once each, and the store asked for all', async () => {
    const { sessions, watched, visitor } = await open()
    const ann = visitor()
    await ann.visit((session) => session.signIn('ann'))
    const session = await ann.visit(loaded)
    const told = new Map<number, number>()
    const count = (n: number): unknown => told.set(n, (told.get(n) ?? 0) + 1)
    const watches = Array.from({ length: 300 }, (_, n) => sessions.watch(session, () => count(n)))
    for (const watch of watches.slice(100, 200)) watch.stop()
    await sessions.destroyById(session.id ?? '')
    await expect.poll(() => told.size).toBe(200)
    expect(new Set(told.values())).toEqual(new Set([1]))
    expect([...told.keys()].some((n) => n >= 100 && n < 200)).toBe(false)
    expect(watched.calls.filter((call) => call === 'findLive').length).toBeLessThan(50)
  })

  test('a session that passed to another user is another one for a request that had loaded it', async () => {
    const { sessions, visitor } = await open()
    const guest = visitor()
    await guest.visit((session) => session.set('basket', ['tea']))
    const before = await guest.visit(loaded)
    await guest.visit((session) => session.signIn('ann'))
    expect(before.userId).toBeNull()
    expect(await ended(sessions, before)).toBe('other-user')
  })

  test('a session that expires is told of', async () => {
    const { sessions, visitor, elapse } = await open({ idleTimeout: '1m' })
    const ann = visitor()
    await ann.visit((session) => session.signIn('ann'))
    const session = await ann.visit(loaded)
    const end = ended(sessions, session)
    await elapse(61_000)
    // Nothing says that time has passed for the store alone, so another watch makes it look.
    sessions.watch(session, () => {})
    expect(await end).toBe('gone')
  })

  test('a watch that was stopped tells nothing, and what a listener throws disturbs no other watch', async () => {
    const { sessions, visitor, lines } = await open()
    const ann = visitor()
    await ann.visit((session) => session.signIn('ann'))
    const session = await ann.visit(loaded)
    let told = 0
    sessions
      .watch(session, () => {
        told++
      })
      .stop()
    sessions.watch(session, () => {
      throw new TypeError('of the application')
    })
    const end = ended(sessions, session)
    await sessions.destroyById(session.id ?? '')
    await end
    expect(told).toBe(0)
    expect(lines).toContainEqual(expect.objectContaining({ level: 'error' }))
  })

  test('a store that gives no hints is asked again and again', async () => {
    const { watched, visitor } = await open()
    const silent = new Proxy(watched.store, {
      get: (store, member) => (member === 'listen' ? undefined : Reflect.get(store, member)),
    })
    const sessions = createSessions({ store: silent, log: false })
    try {
      const ann = visitor()
      await ann.visit((session) => session.signIn('ann'))
      const session = await ann.visit(loaded)
      const end = ended(sessions, session)
      await ann.visit((it) => it.signOut())
      expect(await end).toBe('gone')
    } finally {
      await sessions.close()
    }
  })

  test('a visitor without data has nothing to watch', async () => {
    const { sessions, visitor } = await open()
    const session = await visitor().visit(loaded)
    expect(() => sessions.watch(session, () => {})).toThrow(ConfigurationError)
    // As a caller without types gets wrong.
    expect(() => sessions.watch(null as never, () => {})).toThrow(ConfigurationError)
    expect(() => sessions.watch(session.id ?? 'an id', null as never)).toThrow(ConfigurationError)
  })

  test('closed sessions cannot be watched any more, and tell no listener of their end', async () => {
    const { sessions, visitor } = await open()
    const ann = visitor()
    await ann.visit((session) => session.signIn('ann'))
    const session = await ann.visit(loaded)
    let told = 0
    sessions.watch(session, () => {
      told++
    })
    await sessions.close()
    expect(told).toBe(0)
    expect(() => sessions.watch(session, () => {})).toThrow('closed')
  })
})

type Loaded = Pick<Session, 'id' | 'userId'>

async function loaded(session: Session): Promise<Loaded> {
  await session.load()
  const { id, userId } = session
  return { id, userId }
}

function ended(
  sessions: { watch(watched: Loaded | string, onEnd: (end: WatchEndReason) => void): unknown },
  watched: Loaded | string,
): Promise<WatchEndReason> {
  return new Promise((resolve) => {
    sessions.watch(watched, resolve)
  })
}
