import { createSessions, MemoryStore, StoreUnavailableError } from 'pg-sessions'
import { describe, expect, it, vi } from 'vitest'
import { type EventRecord, eachStore } from '../support/each-store.ts'

eachStore((open) => {
  it('tells each thing that happens once, in order', async () => {
    const { visitor, events, sessions, elapse } = await open({ idleTimeout: '1h' })
    const take = (): EventRecord[] => events.splice(0)
    const idOf = (browser: ReturnType<typeof visitor>): Promise<string> =>
      browser.visit(async (session) => session.load().then(() => String(session.id)))
    const ann = visitor()

    await ann.visit((session) => session.set('a', 1))
    const id = await idOf(ann)
    expect(take()).toEqual([['created', { sessionId: id, userId: null }]])

    await ann.visit((session) => session.set('a', 2))
    await ann.visit((session) => session.update('a', () => 3))
    await ann.visit((session) => session.take('a'))
    expect(take(), 'data comes and goes without an event').toEqual([])

    await ann.visit((session) => session.rotate())
    expect(take()).toEqual([['rotated', { sessionId: id, userId: null }]])

    await ann.visit((session) => session.signIn('ann'))
    expect(take()).toEqual([['signedIn', { sessionId: id, userId: 'ann' }]])

    await ann.visit((session) => session.setLifetime({ idleTimeout: '2h' }))
    expect(take()).toEqual([['rotated', { sessionId: id, userId: 'ann' }]])

    await ann.visit((session) => session.signIn('bob'))
    const bobsId = await idOf(ann)
    expect(take()).toEqual([
      ['cleared', { sessionId: id, successorId: bobsId }],
      ['signedIn', { sessionId: bobsId, userId: 'bob' }],
    ])

    await ann.visit((session) => session.clear())
    const clearedId = await idOf(ann)
    expect(take()).toEqual([['cleared', { sessionId: bobsId, successorId: clearedId }]])

    const late = ann.twin()
    await ann.visit((session) => session.destroy())
    await late.visit((session) => session.destroy())
    expect(take()).toEqual([
      ['destroyed', { sessionId: clearedId, userId: null }],
      ['tokenUnknown', { sessionId: clearedId }],
    ])

    const first = visitor()
    await first.visit((session) => session.signIn('ann'))
    const firstId = await idOf(first)
    expect(take()).toEqual([
      ['created', { sessionId: firstId, userId: 'ann' }],
      ['signedIn', { sessionId: firstId, userId: 'ann' }],
    ])
    await elapse(3_600_000)
    await first.visit((session) => session.load())
    expect(take()).toEqual([['expired', { sessionId: firstId, userId: 'ann' }]])

    await sessions.purge()
    await sessions.purge()
    expect(take()).toEqual([['purged', { removed: 1, milliseconds: expect.any(Number) }]])
  })

  it('tells of sessions that end from elsewhere', async () => {
    const { visitor, events, sessions } = await open()
    const ids: string[] = []
    for (let device = 0; device < 3; device += 1) {
      await visitor().visit(async (session) => {
        await session.signIn('ann')
        ids.push(String(session.id))
      })
    }
    events.length = 0
    const [one, two, three] = ids as [string, string, string]
    await sessions.destroyById(one)
    await sessions.destroyById(one)
    await sessions.destroyByUser('ann', { except: two })
    expect(events).toEqual([
      ['destroyed', { sessionId: one, userId: 'ann' }],
      ['destroyed', { sessionId: three, userId: 'ann' }],
    ])
  })

  it('tells of nothing before it has happened', async () => {
    const { visitor, events, watched, stored } = await open()
    const ann = visitor()
    const held = watched.hold('create')
    const visiting = ann.visit((session) => session.signIn('ann'))
    await held.reached
    expect(events).toEqual([])
    held.release()
    await visiting
    expect(events.map(([name]) => name)).toEqual(['created', 'signedIn'])

    events.length = 0
    const failure = new StoreUnavailableError('no answer', 'none')
    watched.fail('destroy', failure)
    await expect(ann.visit((session) => session.destroy())).rejects.toBe(failure)
    expect(events).toEqual([['storeUnavailable', { operation: 'destroy', error: failure }]])
    expect(await stored()).toBe(1)
  })

  it('tells that the store is unavailable, whatever was asked of it', async () => {
    const { visitor, events, watched, sessions, elapse } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    await elapse(30 * 60_000)
    const error = new StoreUnavailableError('no answer', 'unknown')
    const asking: [Parameters<typeof watched.fail>[0], () => Promise<unknown>][] = [
      ['load', () => ann.visit((session) => session.load())],
      ['save', () => ann.visit((session) => session.set('a', 2))],
      ['replace', () => ann.visit((session) => session.clear())],
      ['update', () => ann.visit((session) => session.update('a', () => 2))],
      ['take', () => ann.visit((session) => session.take('a'))],
      ['create', () => visitor().visit((session) => session.set('a', 1))],
      ['listByUser', () => sessions.listByUser('ann')],
      ['destroyByUser', () => sessions.destroyByUser('ann')],
      ['count', () => sessions.count()],
      ['purge', () => sessions.purge()],
    ]
    for (const [operation, ask] of asking) {
      events.length = 0
      watched.fail(operation, error)
      await expect(ask(), operation).rejects.toBe(error)
      expect(events, operation).toEqual([['storeUnavailable', { operation, error }]])
    }
    events.length = 0
    watched.fail('touch', error)
    await ann.visit((session) => session.load())
    await expect.poll(() => events).toEqual([['storeUnavailable', { operation: 'touch', error }]])
  })

  it('a fault that waiting does not cure is not an unavailability', async () => {
    const { visitor, events, watched } = await open()
    watched.fail('create', new TypeError('a fault'))
    await expect(visitor().visit((session) => session.set('a', 1))).rejects.toThrow('a fault')
    expect(events).toEqual([])
  })

  it('a listener that throws or rejects disturbs neither the request nor the other listeners', async () => {
    const { visitor, sessions, lines } = await open()
    const heard: string[] = []
    sessions.on('created', () => {
      throw new Error('thrown')
    })
    const reject = (): unknown => Promise.reject(new Error('rejected'))
    sessions.on('created', reject)
    sessions.on('created', () => heard.push('created'))
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    expect(heard).toEqual(['created'])
    await expect
      .poll(() => lines.filter(({ level }) => level === 'error').map(({ facts }) => facts))
      .toEqual([{ err: new Error('thrown') }, { err: new Error('rejected') }])
    expect(await ann.visit((session) => session.get('a'))).toBe(1)
  })

  it('a listener hears nothing once it is taken off', async () => {
    const { visitor, sessions } = await open()
    const heard: string[] = []
    const off = sessions.on('created', ({ sessionId }) => heard.push(sessionId))
    await visitor().visit((session) => session.set('a', 1))
    off()
    off()
    await visitor().visit((session) => session.set('a', 1))
    expect(heard).toHaveLength(1)
  })

  it('the log has a line for each event, at the level it deserves', async () => {
    const { visitor, lines, watched } = await open()
    const ann = visitor()
    await ann.visit((session) => session.signIn('ann'))
    watched.fail('load', new StoreUnavailableError('no answer', 'none'))
    await expect(ann.visit((session) => session.load())).rejects.toThrow()
    expect(lines.map(({ level, message }) => [level, message])).toEqual([
      ['debug', 'session created'],
      ['debug', 'user signed in'],
      ['warn', 'the session store is unavailable'],
    ])
  })

  it('a log that fails disturbs no request', async () => {
    const fail = (): never => {
      throw new Error('disk full')
    }
    const reject = (): Promise<never> => Promise.reject(new Error('disk full'))
    const { visitor, sessions } = await open({
      log: { debug: fail, info: reject, warn: fail, error: reject },
    })
    sessions.on('created', fail)
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    expect(await ann.visit((session) => session.get('a'))).toBe(1)
  })
})

describe('the log that is the default', () => {
  it('writes a line to stdout from info up, with the facts in it', async () => {
    const written = vi.spyOn(console, 'log').mockImplementation(() => undefined)
    try {
      const store = new MemoryStore()
      const sessions = createSessions({ store, idleTimeout: '1ms' })
      const exchange = sessions.open(null)
      exchange.session.set('a', 1)
      await exchange.commit()
      await expect.poll(() => sessions.purge()).toBe(1)
      expect(written.mock.calls.flat()).toEqual([
        expect.stringMatching(
          /^pg-sessions info: expired sessions purged removed=1 milliseconds=\d+$/,
        ),
      ])
      sessions.on('created', () => {
        throw new Error('two\nlines')
      })
      const other = sessions.open(null)
      other.session.set('a', 1)
      await other.commit()
      expect(written.mock.calls.flat().at(-1)).toBe(
        'pg-sessions error: a listener of a session event failed err="two\\nlines"',
      )
    } finally {
      written.mockRestore()
    }
  })

  it('can be turned off', async () => {
    const written = vi.spyOn(console, 'log').mockImplementation(() => undefined)
    try {
      const sessions = createSessions({
        store: new MemoryStore(),
        log: false,
        cookie: { development: true },
      })
      sessions.on('created', () => {
        throw new Error('unheard')
      })
      const exchange = sessions.open(null)
      exchange.session.set('a', 1)
      await exchange.commit()
      expect(written).not.toHaveBeenCalled()
    } finally {
      written.mockRestore()
    }
  })
})
