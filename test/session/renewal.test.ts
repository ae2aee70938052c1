import {
  type Session,
  SessionGoneError,
  type Sessions,
  StoreError,
  StoreUnavailableError,
} from 'pg-sessions'
import type { ResponseLink } from 'pg-sessions/adapter'
import { describe, expect, it } from 'vitest'
import { type Bench, eachStore, type OpenBench } from '../support/each-store.ts'
import { Visitor } from '../support/each-store-visitor.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND

/** A third of the grace: until then the response with the new token may be on its way. */
const PATIENCE = 10 * SECOND
/** What is left of an old token once the new one was shown. */
const OVERLAP = 5 * SECOND

type Data = Record<string, unknown>

interface Renewable extends Bench<Data> {
  /** Has a session with the token `old`, which is due for renewal. */
  readonly ann: Visitor<Data>
  readonly old: string
}

/** Tokens are renewed at fifteen minutes, with a grace of thirty seconds. */
async function openRenewable(open: OpenBench): Promise<Renewable> {
  const bench = await open({ renewInterval: '15m' })
  const ann = bench.visitor()
  await ann.visit((session) => session.set('a', 1))
  await bench.elapse(15 * MINUTE)
  bench.events.length = 0
  bench.watched.calls.length = 0
  return { ...bench, ann, old: String(ann.token) }
}

/** The same after a renewal. Ann has the new token. */
async function openRenewed(open: OpenBench): Promise<Renewable & { readonly current: string }> {
  const bench = await openRenewable(open)
  await bench.ann.visit(read)
  await bench.settled()
  return { ...bench, current: String(bench.ann.token) }
}

async function read(session: { get(key: string): Promise<unknown> }): Promise<unknown> {
  return session.get('a')
}

/** Which tokens open a session; asked by a process that renews nothing, and so changes nothing. */
async function opened(
  sessions: Sessions<Data>,
  tokens: readonly (string | null)[],
): Promise<boolean[]> {
  const ids = tokens.map(async (token) => {
    const { session } = sessions.open(`__Host-id=${token}`)
    await session.load()
    return session.id !== null
  })
  return Promise.all(ids)
}

eachStore((open) => {
  describe('a token that has grown old', () => {
    it('is renewed by a request that only reads, with its response', async () => {
      const { ann, old, events, watched, settled } = await openRenewable(open)
      const id = await ann.visit(async (session) => {
        await session.load()
        return session.id
      })
      await settled()
      expect(ann.setCookies).toHaveLength(1)
      expect(ann.token).not.toBe(old)
      expect(ann.token?.slice(0, 22), 'it is the same session').toBe(old.slice(0, 22))
      expect(await ann.visit(read)).toBe(1)
      expect(events).toEqual([['renewed', { sessionId: id, userId: null }]])
      await settled()
      expect(watched.calls).toEqual(['load', 'save', 'load', 'touch'])
    })

    it('is renewed in the statement that saves what the request changed', async () => {
      const { ann, old, watched } = await openRenewable(open)
      await ann.visit((session) => session.set('a', 2))
      expect(watched.calls).toEqual(['load', 'save'])
      expect(ann.token).not.toBe(old)
      expect(await ann.visit(read)).toBe(2)
    })

    it('is renewed with the response, however often the handler saves before', async () => {
      const { ann, old, watched } = await openRenewable(open)
      const request = ann.open()
      await request.session.save()
      request.session.set('a', 2)
      await request.session.save()
      await request.session.save()
      expect(watched.calls).toEqual(['load', 'save'])
      expect(ann.token).toBe(old)
      await request.commit()
      expect(watched.calls).toEqual(['load', 'save', 'save'])
      expect(ann.token).not.toBe(old)
    })

    it('is left alone before its time, and for ever unless a time is set', async () => {
      const { visitor, elapse } = await open({ renewInterval: '15m' })
      const ann = visitor()
      await ann.visit((session) => session.signIn('ann'))
      await elapse(14 * MINUTE)
      await ann.visit(read)
      expect(ann.setCookies).toEqual([])
      const { visitor: forEver, elapse: pass } = await open()
      const bob = forEver()
      await bob.visit((session) => session.signIn('bob'))
      for (const _ of [1, 2, 3]) {
        await pass(59 * MINUTE)
        await bob.visit(read)
        expect(bob.setCookies).toEqual([])
      }
    })

    it('is given its age by each change of token', async () => {
      const { ann, elapse } = await openRenewable(open)
      await ann.visit((session) => session.signIn('ann'))
      await elapse(14 * MINUTE)
      await ann.visit(read)
      expect(ann.setCookies).toEqual([])
      await elapse(MINUTE)
      await ann.visit(read)
      expect(ann.setCookies).toHaveLength(1)
      await elapse(14 * MINUTE)
      await ann.visit(read)
      expect(ann.setCookies).toEqual([])
    })

    it('is renewed for who is signed in, with the same user, times and data', async () => {
      const { visitor, elapse } = await open({ renewInterval: '15m' })
      const ann = visitor()
      await ann.visit((session) => session.signIn('ann'))
      await ann.visit((session) => session.set('a', 1))
      const facts = () =>
        ann.visit(async (session) => {
          await session.load()
          const { id, userId, createdAt, authenticatedAt, data } = session
          return { id, userId, createdAt, authenticatedAt, data: { ...data } }
        })
      await elapse(15 * MINUTE)
      const before = await facts()
      expect(ann.setCookies).toHaveLength(1)
      expect(await facts()).toEqual(before)
    })

    it('keeps a remembered session in the browser', async () => {
      const { visitor, elapse } = await open({ renewInterval: '15m' })
      const ann = visitor()
      await ann.visit(async (session) => {
        session.setLifetime({ idleTimeout: '20d' })
        await session.signIn('ann')
      })
      await elapse(15 * MINUTE)
      await ann.visit(read)
      expect(ann.setCookies[0]).toMatch(/Max-Age=\d{7}/)
    })

    it('does not move the absolute deadline', async () => {
      const { visitor, elapse } = await open({
        idleTimeout: '20m',
        absoluteTimeout: '40m',
        renewInterval: '15m',
      })
      const ann = visitor()
      await ann.visit((session) => session.signIn('ann'))
      for (const _ of [1, 2]) {
        await elapse(15 * MINUTE)
        await ann.visit(read)
        expect(ann.setCookies).toHaveLength(1)
      }
      await elapse(10 * MINUTE)
      expect(await ann.visit((session) => session.load().then(() => session.id))).toBeNull()
    })

    it('moves over to a new pepper', async () => {
      const [first, second] = ['first pepper '.repeat(3), 'second pepper '.repeat(3)]
      const { visitor, alongside, elapse, settled } = await open({ pepper: first })
      const bob = visitor()
      await bob.visit((session) => session.set('a', 1))
      await elapse(15 * MINUTE)
      const both = new Visitor(
        alongside({ pepper: [second, first], renewInterval: '15m' }),
        bob.token,
      )
      expect(await both.visit(read)).toBe(1)
      const onlySecond = alongside({ pepper: second })
      expect(await opened(onlySecond, [both.token, bob.token])).toEqual([true, false])
      expect(await bob.visit(read), 'the old one works on under its own pepper').toBe(1)
      await settled()
    })

    it('is not renewed when no new token can reach the client, or a 304 may drop it', async () => {
      const { ann, old, watched } = await openRenewable(open)
      const links: ResponseLink[] = [
        { phase: () => 'sent' },
        { phase: () => 'gone' },
        { isConditional: () => true },
      ]
      for (const link of links) {
        const changes: string[] = []
        const request = ann.open({ ...link, onChange: () => changes.push('change') })
        expect(await read(request.session)).toBe(1)
        await request.commit()
        expect(changes).toEqual([])
      }
      expect(watched.calls).not.toContain('save')
      expect(ann.token).toBe(old)
    })

    it('is renewed by a response whose head waits', async () => {
      const { ann, old } = await openRenewable(open)
      const request = ann.open({ phase: () => 'held' })
      request.session.delete('b')
      await request.commit()
      expect(ann.token).not.toBe(old)
    })

    it('has the response held, once, although nothing has changed', async () => {
      const { ann } = await openRenewable(open)
      const changes: string[] = []
      const request = ann.open({ onChange: () => changes.push('change') })
      await read(request.session)
      expect(changes).toEqual(['change'])
      expect(request.exchange.hasChanges).toBe(false)
      request.session.set('a', 2)
      expect(changes).toEqual(['change'])
    })
  })

  describe('many requests at renewal time', () => {
    it('get one new token between them, and no client is shut out', async () => {
      const { ann, old, visitor, events, alongside, settled } = await openRenewable(open)
      const tabs = Array.from({ length: 50 }, () => visitor(old))
      const requests = tabs.map((tab) => tab.open())
      expect(await Promise.all(requests.map(({ session }) => read(session)))).toEqual(
        tabs.map(() => 1),
      )
      await Promise.all(requests.map((request) => request.commit()))
      const renewed = tabs.filter(({ setCookies }) => setCookies.length > 0)
      expect(renewed).toHaveLength(1)
      expect(events.map(([name]) => name)).toEqual(['renewed'])
      ann.token = String(renewed[0]?.token)
      for (const tab of tabs) {
        expect(await tab.visit(read)).toBe(1)
        expect(tab.setCookies, 'a later request tells no client of the new one').toEqual([])
      }
      await settled()
      expect(await opened(alongside(), [old, ann.token])).toEqual([true, true])
    })

    it('can all save: those with the old token too', async () => {
      const { ann, old, visitor } = await openRenewable(open)
      const tabs = Array.from({ length: 20 }, () => visitor(old))
      await Promise.all(tabs.map((tab, n) => tab.visit((session) => session.set(`key-${n}`, n))))
      const [renewed] = tabs.filter(({ setCookies }) => setCookies.length > 0)
      ann.token = String(renewed?.token)
      const entries = await ann.visit((session) => session.entries())
      expect(entries).toHaveLength(21)
    })
  })

  describe('a token in its grace', () => {
    it('opens the session, and never gets its successor', async () => {
      const { old, current, visitor } = await openRenewed(open)
      const late = visitor(old)
      for (const use of [
        read,
        (session: { set(key: string, value: number): void }) => session.set('a', 2),
        (session: { update(key: string, to: () => number): Promise<void> }) =>
          session.update('a', () => 3),
      ]) {
        await late.visit(use)
        expect(late.setCookies).toEqual([])
      }
      expect(await visitor(current).visit(read)).toBe(3)
    })

    it('is refused once the grace is over', async () => {
      const { ann, old, visitor, elapse, events } = await openRenewed(open)
      await elapse(30 * SECOND)
      events.length = 0
      expect(await visitor(old).visit(read)).toBeUndefined()
      expect(events.map(([name]) => name)).toEqual(['tokenReused'])
      expect(await ann.visit(read)).toBe(1)
      expect(ann.setCookies).toEqual([])
    })

    it('tells of its use after the grace, as a warning', async () => {
      const { old, visitor, elapse, lines } = await openRenewed(open)
      await elapse(30 * SECOND)
      await visitor(old).visit(read)
      expect(lines.at(-1)).toMatchObject({ level: 'warn', facts: { userId: null } })
    })

    it.each([
      ['log', true, true],
      ['destroy', false, true],
      ['destroyByUser', false, false],
    ] as const)(
      'after the grace, onTokenReuse: %s ends what it says',
      async (onTokenReuse, one, two) => {
        const settings = { renewInterval: '10m', onTokenReuse } as const
        const { visitor, elapse } = await open<Data>(settings)
        const [ann, phone] = [visitor(), visitor()]
        await ann.visit((session) => session.signIn('ann'))
        await phone.visit((session) => session.signIn('ann'))
        await elapse(10 * 60 * SECOND)
        const thief = ann.twin()
        await ann.visit((session) => session.load())
        await elapse(30 * SECOND)
        const who = async (session: Session<Data>): Promise<string | null> => {
          await session.load()
          return session.userId
        }
        expect(await thief.visit(read)).toBeUndefined()
        expect(await ann.visit(who)).toBe(one ? 'ann' : null)
        expect(await phone.visit(who)).toBe(two ? 'ann' : null)
      },
    )

    it('is not a reuse when it comes beside the token in force, as a cookie of an earlier path does', async () => {
      const settings = { renewInterval: '10m', onTokenReuse: 'destroyByUser' } as const
      const { sessions, visitor, elapse, events } = await open<Data>(settings)
      const ann = visitor()
      await ann.visit((session) => session.signIn('ann'))
      await elapse(10 * 60 * SECOND)
      const old = ann.token
      await ann.visit((session) => session.load())
      await elapse(30 * SECOND)
      for (const tokens of [
        [old, ann.token],
        [ann.token, old],
      ]) {
        const header = tokens.map((token) => `__Host-id=${token}`).join('; ')
        const { session } = sessions.open(header)
        await session.load()
        expect(session.userId).toBe('ann')
      }
      expect(events.map(([name]) => name)).not.toContain('tokenReused')
    })

    it('is refused a few seconds after its successor was first shown', async () => {
      const { ann, old, visitor, elapse, settled } = await openRenewed(open)
      await ann.visit(read)
      await settled()
      expect(await visitor(old).visit(read)).toBe(1)
      await elapse(OVERLAP)
      expect(await visitor(old).visit(read)).toBeUndefined()
      expect(await ann.visit(read)).toBe(1)
    })

    it('is ended by a call that no response waits for or fails with, and that is made until it succeeds', async () => {
      const { ann, watched, settled } = await openRenewed(open)
      const held = watched.hold('touch')
      expect(await ann.visit(read)).toBe(1)
      held.release(new StoreUnavailableError('Not now.', 'none'))
      await settled()
      watched.calls.length = 0
      await ann.visit(read)
      await settled()
      await ann.visit(read)
      await settled()
      expect(watched.calls).toEqual(['load', 'touch', 'load'])
    })
  })

  describe('a client that did not get the response with the new token', () => {
    it('is given the same one again', async () => {
      const { old, current, visitor, elapse, events, alongside } = await openRenewed(open)
      await elapse(PATIENCE)
      events.length = 0
      const ann = visitor(old)
      expect(await ann.visit(read)).toBe(1)
      expect(ann.setCookies).toHaveLength(1)
      expect(ann.token).toBe(current)
      expect(events).toEqual([])
      expect(await opened(alongside(), [old, current])).toEqual([true, true])
      expect(await ann.visit(read)).toBe(1)
    })

    it('gets it with each request until it shows it', async () => {
      const { old, current, visitor, elapse } = await openRenewed(open)
      await elapse(PATIENCE)
      const tabs = Array.from({ length: 20 }, () => visitor(old))
      const requests = tabs.map((tab) => tab.open())
      await Promise.all(requests.map(({ session }) => read(session)))
      await Promise.all(requests.map((request) => request.commit()))
      expect(new Set(tabs.map(({ token }) => token))).toEqual(new Set([current]))
    })

    it('is never shut out by another client that polls with the old token', async () => {
      const { ann, old, visitor, elapse, settled } = await openRenewed(open)
      const thief = visitor(old)
      for (let at = 0; at < 30; at += 5) {
        await thief.twin().visit(read)
        await settled()
        await elapse(5 * SECOND)
      }
      expect(await thief.twin().visit(read)).toBeUndefined()
      expect(await ann.visit(read)).toBe(1)
    })

    it('gets no cookie when it shows the new token beside the one before', async () => {
      const { old, current, sessions, elapse } = await openRenewed(open)
      await elapse(PATIENCE)
      for (const [one, other] of [
        [old, current],
        [current, old],
      ]) {
        const exchange = sessions.open(`__Host-id=${one}; __Host-id=${other}`)
        expect(await exchange.session.get('a')).toBe(1)
        expect((await exchange.commit()).setCookies).toEqual([])
      }
    })

    it('waits while the response may still be on its way', async () => {
      const { old, visitor, elapse, watched } = await openRenewed(open)
      await elapse(PATIENCE - 5 * SECOND)
      watched.calls.length = 0
      const ann = visitor(old)
      expect(await ann.visit(read)).toBe(1)
      expect(ann.setCookies).toEqual([])
      expect(watched.calls).toEqual(['load'])
    })

    it('does not include one that comes after the new token was shown', async () => {
      const { ann, old, current, visitor, elapse, settled, watched } = await openRenewed(open)
      await elapse(PATIENCE)
      await ann.visit(read)
      await settled()
      watched.calls.length = 0
      const thief = visitor(old)
      expect(await thief.visit(read)).toBe(1)
      expect(thief.setCookies).toEqual([])
      expect(watched.calls).toEqual(['load'])
      expect(await visitor(current).visit(read)).toBe(1)
    })

    it('gets no third token when another client has shown the new one meanwhile', async () => {
      const { ann, old, current, visitor, elapse, settled } = await openRenewed(open)
      await elapse(PATIENCE)
      const thief = visitor(old)
      const request = thief.open()
      expect(await read(request.session)).toBe(1)
      await ann.visit(read)
      await settled()
      await request.commit()
      expect(thief.token).toBe(current)
      expect(await visitor(current).visit(read)).toBe(1)
    })
  })

  describe('a change of privilege at renewal time', () => {
    const changes: [
      string,
      (session: Parameters<Parameters<Visitor<Data>['visit']>[0]>[0]) => unknown,
    ][] = [
      ['signIn', (session) => session.signIn('ann')],
      ['rotate', (session) => session.rotate()],
      ['setLifetime', (session) => session.setLifetime({ idleTimeout: '20d' })],
      ['clear', (session) => session.clear()],
    ]

    it.each(changes)('%s takes the place of the renewal, without a grace', async (_, change) => {
      const { ann, old, events, alongside } = await openRenewable(open)
      await ann.visit(async (session) => {
        await session.load()
        await change(session)
      })
      expect(ann.setCookies).toHaveLength(1)
      expect(await opened(alongside(), [old, ann.token])).toEqual([false, true])
      expect(events.map(([name]) => name)).not.toContain('renewed')
    })

    it.each(changes)('%s within the grace ends every other token', async (_, change) => {
      for (const shown of ['old', 'current'] as const) {
        const { alongside, visitor, ...tokens } = await openRenewed(open)
        const ann = visitor(tokens[shown])
        await ann.visit(change)
        const all = [tokens.old, tokens.current, ann.token]
        expect(await opened(alongside(), all)).toEqual([false, false, true])
      }
    })

    it.each(changes)(
      '%s beside a renewal that was faster ends its token too',
      async (_, change) => {
        const { ann, old, visitor, alongside } = await openRenewable(open)
        const request = ann.open()
        await request.session.load()
        const other = visitor(old)
        await other.visit(read)
        expect(other.setCookies).toHaveLength(1)
        await change(request.session)
        await request.commit()
        const all = [old, other.token, ann.token]
        expect(await opened(alongside(), all)).toEqual([false, false, true])
      },
    )

    it('a renewal that comes after it gets nothing', async () => {
      const { ann, old, visitor, alongside } = await openRenewable(open)
      const request = visitor(old).open()
      await request.session.load()
      await ann.visit((session) => session.signIn('ann'))
      const { setCookies } = await request.exchange.commit()
      expect(setCookies).toEqual([])
      expect(await opened(alongside(), [old, ann.token])).toEqual([false, true])
    })

    it('destroy and signOut end every token', async () => {
      for (const end of ['destroy', 'signOut'] as const) {
        for (const shown of ['old', 'current'] as const) {
          const { alongside, visitor, stored, ...tokens } = await openRenewed(open)
          const ann = visitor(tokens[shown])
          await ann.visit((session) => session[end]())
          expect(await opened(alongside(), [tokens.old, tokens.current])).toEqual([false, false])
          expect(ann.token).toBeNull()
          expect(await stored()).toBe(0)
        }
      }
    })
  })

  describe('a renewal that fails', () => {
    const failures: [string, Error, logged: number][] = [
      ['the store is unavailable', new StoreUnavailableError('Not now.', 'none'), 0],
      ['the store is at fault', new StoreError('It is broken.'), 1],
      ['the session is gone', new SessionGoneError('x'), 0],
    ]

    it.each(failures)('harms no request that only reads: %s', async (_, failure, logged) => {
      const { ann, old, watched, lines, events } = await openRenewable(open)
      watched.fail('save', failure)
      expect(await ann.visit(read)).toBe(1)
      expect(ann.setCookies).toEqual([])
      const told = lines.filter(({ message }) => message === 'a session token could not be renewed')
      expect(told).toHaveLength(logged)
      expect(events.map(([name]) => name)).not.toContain('renewed')
      expect(await ann.visit(read), 'and the next request tries again').toBe(1)
      expect(ann.token).not.toBe(old)
    })

    it('fails a request that had something to save, as its save does', async () => {
      const { ann, old, watched } = await openRenewable(open)
      watched.fail('save', new StoreUnavailableError('Not now.', 'none'))
      await expect(ann.visit((session) => session.set('a', 2))).rejects.toThrow('Not now.')
      expect(ann.token).toBe(old)
      expect(await ann.visit(read)).toBe(1)
    })

    it('is not an error for a request that reads while the session is destroyed', async () => {
      const { ann, visitor, old } = await openRenewable(open)
      const request = ann.open()
      expect(await read(request.session)).toBe(1)
      await visitor(old).visit((session) => session.destroy())
      await request.commit()
      expect(ann.setCookies).toEqual([])
    })

    it('is made up for like any lost reply, when it was done and the client never heard', async () => {
      const { ann, old, watched, elapse } = await openRenewable(open)
      watched.fail('save', new StoreUnavailableError('Not now.', 'unknown'), 'after')
      expect(await ann.visit(read)).toBe(1)
      expect(ann.token).toBe(old)
      await elapse(PATIENCE)
      expect(await ann.visit(read)).toBe(1)
      expect(ann.token).not.toBe(old)
    })

    it.each([
      ['destroy', (session: Session<Data>) => session.destroy()],
      ['clear', (session: Session<Data>) => session.clear()],
    ] as const)(
      'lets the request %s the session whose answer got lost with the new token',
      async (_, end) => {
        const { ann, watched } = await openRenewable(open)
        const request = ann.open()
        request.session.rotate()
        watched.fail('save', new StoreUnavailableError('Not now.', 'unknown'), 'after')
        await expect(request.session.save()).rejects.toThrow('Not now.')
        end(request.session)
        await request.commit()
        expect(await ann.visit(read)).toBeUndefined()
      },
    )

    it('harms no session that is over a limit by now', async () => {
      const { ann, alongside, elapse } = await openRenewable(open)
      await ann.visit((session) => session.set('b', 1))
      await elapse(15 * MINUTE)
      const strict = alongside({ renewInterval: '15m', limits: { keys: 1 } })
      const bob = new Visitor(strict, ann.token)
      expect(await bob.visit(read)).toBe(1)
      expect(bob.setCookies).toHaveLength(1)
    })
  })
})
