import {
  ConfigurationError,
  SessionGoneError,
  type Sessions,
  StoreUnavailableError,
} from 'pg-sessions'
import { describe, expect, it } from 'vitest'
import { eachStore } from '../support/each-store.ts'
import type { Visitor } from '../support/each-store-visitor.ts'

eachStore((open) => {
  it('signs in at once, with a new token; the old one is dead when it resolves', async () => {
    const { visitor, watched } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('basket', ['apple']))
    const thief = ann.twin()
    watched.calls.length = 0
    const request = ann.open()
    request.session.set('seen', true)
    await request.session.signIn('ann')
    expect(watched.calls, 'in one call, with what was pending').toEqual(['load', 'save'])
    expect(await thief.visit((session) => session.get('basket'))).toBeUndefined()
    expect(request.session.userId).toBe('ann')
    await request.commit()

    await ann.visit(async (session) => {
      await session.load()
      expect(session.userId).toBe('ann')
      expect(Number(session.authenticatedAt)).toBeGreaterThanOrEqual(Number(session.createdAt))
      expect({ ...session.data }, 'an anonymous visitor keeps what they have').toEqual({
        basket: ['apple'],
        seen: true,
      })
    })
  })

  it('signs in on a first visit, in one call, and sends the cookie even if nothing is set', async () => {
    const { visitor, watched } = await open()
    const ann = visitor()
    await ann.visit(async (session) => {
      session.set('a', 1)
      await session.signIn('ann')
    })
    expect(watched.calls).toEqual(['create'])
    const bob = visitor()
    await bob.visit((session) => session.signIn('bob'))
    expect(bob.setCookies).toHaveLength(1)
    expect(await bob.visit(async (session) => session.load().then(() => session.userId))).toBe(
      'bob',
    )
  })

  it('the id stays for an anonymous visitor who signs in, and for the same user again', async () => {
    const { visitor } = await open()
    const ann = visitor()
    const ids: (string | null)[] = []
    const tokens = new Set<string | null>()
    await ann.visit((session) => session.set('a', 1))
    for (let round = 0; round < 3; round += 1) {
      tokens.add(ann.token)
      await ann.visit(async (session) => {
        await session.signIn('ann')
        ids.push(session.id)
        expect(await session.get('a')).toBe(1)
      })
    }
    expect(new Set(ids).size).toBe(1)
    expect(tokens.size).toBe(3)
  })

  it('knows whether the user signed in lately, by the clock of the store, without a call of its own', async () => {
    const { visitor, elapse, watched } = await open()
    const ann = visitor()
    expect(await ann.visit((session) => session.authenticatedWithin('3650d'))).toBe(false)
    await ann.visit((session) => session.set('a', 1))
    expect(await ann.visit((session) => session.authenticatedWithin('3650d'))).toBe(false)
    await ann.visit(async (session) => {
      await session.signIn('ann')
      expect(await session.authenticatedWithin('1m')).toBe(true)
    })
    await elapse(4 * 60_000)
    watched.calls.length = 0
    await ann.visit(async (session) => {
      expect(await session.authenticatedWithin('5m')).toBe(true)
      expect(await session.authenticatedWithin('4m')).toBe(false)
      session.rotate()
    })
    expect(watched.calls).toEqual(['load', 'save'])
    await elapse(2 * 60_000)
    await ann.visit(async (session) => {
      expect(await session.authenticatedWithin('5m'), 'a rotation is not a sign-in').toBe(false)
      await session.signIn('ann')
      expect(await session.authenticatedWithin('5m')).toBe(true)
      await expect(session.authenticatedWithin('5' as '5m')).rejects.toThrow(ConfigurationError)
    })
  })

  it('signing in again as the same user renews the time of authentication', async () => {
    const { visitor, elapse } = await open()
    const ann = visitor()
    await ann.visit((session) => session.signIn('ann'))
    await elapse(60_000)
    await ann.visit(async (session) => {
      await session.load()
      const before = Number(session.authenticatedAt)
      await session.signIn('ann')
      expect(Number(session.authenticatedAt) - before).toBeGreaterThanOrEqual(60_000)
      expect(Number(session.createdAt)).toBeLessThan(Number(session.authenticatedAt))
    })
  })

  it('signing in as another user drops what the earlier one had, stored or just set', async () => {
    const { visitor, stored } = await open()
    const browser = visitor()
    await browser.visit(async (session) => {
      await session.signIn('ann')
      session.set('address', 'of Ann')
    })
    const annsToken = browser.twin()
    await browser.visit(async (session) => {
      await session.load()
      const annsId = session.id
      session.set('basket', ['of Ann'])
      await session.signIn('bob')
      expect(session.id).not.toBe(annsId)
      expect(await session.entries()).toEqual([])
      session.set('basket', ['of Bob'])
    })
    await browser.visit(async (session) => {
      expect(await session.entries()).toEqual([['basket', ['of Bob']]])
      expect(session.userId).toBe('bob')
    })
    expect(await annsToken.visit((session) => session.entries())).toEqual([])
    expect(await stored()).toBe(1)
  })

  it('keeps what follows an ending, whichever user was signed in before it', async () => {
    const { visitor } = await open()
    for (const end of ['clear', 'destroy'] as const) {
      const browser = visitor()
      await browser.visit(async (session) => {
        await session.signIn('ann')
        session.set('of', 'ann')
      })
      await browser.visit(async (session) => {
        session[end]()
        session.set('after', end)
        await session.signIn('bob')
      })
      await browser.visit(async (session) => {
        expect(await session.entries()).toEqual([['after', end]])
        expect(session.userId).toBe('bob')
      })
    }
  })

  it('a sign-in that fails signs no user in, and leaves the session and its changes as they were', async () => {
    const { visitor, watched } = await open()
    const browser = visitor()
    await browser.visit(async (session) => {
      await session.signIn('ann')
      session.set('a', 1)
    })
    await browser.visit(async (session) => {
      session.set('b', 2)
      watched.fail('replace', new StoreUnavailableError('no answer', 'none'))
      await expect(session.signIn('bob')).rejects.toThrow(StoreUnavailableError)
      expect(session.userId).toBe('ann')
    })
    await browser.visit(async (session) => {
      expect(Object.fromEntries(await session.entries())).toEqual({ a: 1, b: 2 })
      expect(session.userId).toBe('ann')
    })
  })

  it("after two clicks on log in, each request has a session of its own with the visitor's data", async () => {
    const { visitor, sessions } = await open()
    const browser = visitor()
    await browser.visit((session) => session.set('a', 1))
    const tabs = [browser.twin(), browser.twin()]
    const requests = tabs.map((tab) => tab.open())
    await Promise.all(requests.map(({ session }) => session.load()))
    for (const [n, { session }] of requests.entries()) session.set('tab', n)
    await Promise.all(requests.map(({ session }) => session.signIn('ann')))
    await Promise.all(requests.map((request) => request.commit()))
    expect(await sessions.listByUser('ann')).toHaveLength(2)
    for (const [n, tab] of tabs.entries()) {
      await tab.visit(async (session) => {
        await session.load()
        expect([session.userId, session.data]).toEqual(['ann', { a: 1, tab: n }])
      })
    }
    expect(await browser.visit((session) => session.get('a'))).toBeUndefined()
  })

  const meanwhile: [
    string,
    (browser: Visitor<Record<string, unknown>>, id: string, sessions: Sessions) => Promise<unknown>,
  ][] = [
    ['another user has signed in', (browser) => browser.visit((session) => session.signIn('bob'))],
    ['the token was rotated', (browser) => browser.visit((session) => session.rotate())],
    ['the session was cleared', (browser) => browser.visit((session) => session.clear())],
    ['the session was destroyed', (_, id, sessions) => sessions.destroyById(id)],
  ]

  it.each(meanwhile)('a sign-in is refused after %s', async (_, happens) => {
    const { visitor, sessions } = await open()
    const browser = visitor()
    const id = await browser.visit(async (session) => {
      session.set('a', 1)
      await session.save()
      return session.id
    })
    const late = browser.twin().open()
    await late.session.load()
    await happens(browser, id ?? '', sessions)
    await expect(late.session.signIn('ann')).rejects.toThrow(SessionGoneError)
    expect(await sessions.listByUser('ann')).toEqual([])
  })

  it('what began before the same user signed in again is refused after it', async () => {
    const { visitor } = await open()
    const browser = visitor()
    await browser.visit((session) => session.signIn('ann'))
    const early = browser.twin().open()
    await early.session.load()
    await browser.visit((session) => session.signIn('ann'))
    early.session.set('role', 'admin')
    await expect(early.commit()).rejects.toThrow(SessionGoneError)
    await expect(early.session.update('role', () => 'admin')).rejects.toThrow(SessionGoneError)
    expect(await browser.visit((session) => session.get('role'))).toBeUndefined()
  })

  it('what began before a sign-in is refused after it: save, update, take, clear, rotation', async () => {
    const { visitor } = await open()
    for (const write of ['set', 'delete', 'update', 'take', 'clear', 'rotate'] as const) {
      const browser = visitor()
      await browser.visit((session) => session.set('a', 1))
      const early = browser.twin().open()
      await early.session.load()
      await browser.visit((session) => session.signIn('ann'))

      const { session } = early
      const writing = async (): Promise<unknown> => {
        if (write === 'update') return session.update('a', () => 'late')
        if (write === 'take') return session.take('a')
        if (write === 'set') session.set('a', 'late')
        else if (write === 'delete') session.delete('a')
        else session[write]()
        return early.commit()
      }
      await expect(writing(), write).rejects.toThrow(SessionGoneError)
      expect(await browser.visit((it) => it.get('a')), write).toBe(1)
    }
  })

  it('refuses what can be no user id, and says what can', async () => {
    const { visitor, stored } = await open()
    const bad: unknown[] = ['', 'x'.repeat(256), 'a\0b', '\ud800', 7, null, undefined, {}]
    for (const userId of bad) {
      const refused = visitor().visit((session) => session.signIn(userId as string))
      await expect(refused).rejects.toThrow(ConfigurationError)
      await expect(refused).rejects.toThrow('a string of 1 to 255 characters')
    }
    expect(await stored()).toBe(0)
  })

  it('takes any other text for a user id, and gives it back as it is', async () => {
    const { visitor, sessions } = await open()
    for (const userId of ['x'.repeat(255), "'; drop table session; --", '__proto__', ' ', 'Ä 😀']) {
      const browser = visitor()
      await browser.visit((session) => session.signIn(userId))
      await browser.visit(async (session) => {
        await session.load()
        expect(session.userId).toBe(userId)
      })
      expect(await sessions.listByUser(userId)).toHaveLength(1)
    }
  })
})

describe('a thief who waits for the victim to sign in', () => {
  eachStore((open) => {
    it('gets nothing with a token of their own choice: it is never adopted', async () => {
      const { visitor } = await open()
      const attacker = visitor()
      await attacker.visit((session) => session.set('a', 1))
      const chosen = `${attacker.token?.slice(0, 22)}${'A'.repeat(32)}`
      const victim = visitor(chosen)
      await victim.visit((session) => session.signIn('victim'))
      expect(victim.token).not.toBe(chosen)
      await visitor(chosen).visit(async (session) => {
        await session.load()
        expect(session.userId).toBeNull()
      })
    })

    it('gets nothing with an anonymous session of their own, polled before and after', async () => {
      const { visitor } = await open()
      const attacker = visitor()
      await attacker.visit((session) => session.set('planted', 1))
      const victim = attacker.twin()
      const polling = attacker.open()
      await polling.session.load()
      await victim.visit((session) => session.signIn('victim'))
      polling.session.rotate()
      await expect(polling.commit(), 'nor by a rotation of their own').rejects.toThrow(
        SessionGoneError,
      )
      await attacker.visit(async (session) => {
        await session.load()
        expect(session.id).toBeNull()
      })
      await victim.visit(async (session) => {
        await session.load()
        expect(session.userId).toBe('victim')
      })
    })

    it('gets nothing with their own signed-in session', async () => {
      const { visitor } = await open()
      const attacker = visitor()
      await attacker.visit(async (session) => {
        await session.signIn('attacker')
        session.set('planted', 1)
      })
      const victim = attacker.twin()
      await victim.visit((session) => session.signIn('victim'))
      await attacker.visit(async (session) => {
        await session.load()
        expect(session.userId).toBeNull()
      })
      expect(await victim.visit((session) => session.has('planted'))).toBe(false)
    })
  })
})
