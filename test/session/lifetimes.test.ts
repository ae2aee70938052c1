import { ConfigurationError, StoreUnavailableError } from 'pg-sessions'
import { expect, it } from 'vitest'
import { eachStore } from '../support/each-store.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const isAlive = async (session: { get(key: string): Promise<unknown> }): Promise<boolean> =>
  (await session.get('a')) !== undefined

eachStore((open) => {
  it('lives on while it is used, and ends when it is not', async () => {
    const { visitor, elapse } = await open({ idleTimeout: '1h' })
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    for (let visit = 0; visit < 3; visit += 1) {
      await elapse(50 * MINUTE)
      expect(await ann.visit(isAlive)).toBe(true)
      await ann.visit((session) => session.set('visit', visit))
    }
    await elapse(HOUR)
    expect(await ann.visit(isAlive)).toBe(false)
  })

  it('a read keeps it alive as a write does', async () => {
    const { visitor, elapse, watched } = await open({ idleTimeout: '1h' })
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    await elapse(50 * MINUTE)
    watched.calls.length = 0
    expect(await ann.visit(isAlive)).toBe(true)
    expect(watched.calls).toEqual(['load', 'touch'])
    await expect
      .poll(async () => {
        const { session } = ann.open()
        await session.load()
        return Number(session.expiresAt) - Date.now()
      })
      .toBeGreaterThan(30 * MINUTE)
  })

  it('notes an access when it is due, once a request, and not for what was just stored', async () => {
    const { visitor, elapse, watched } = await open({ idleTimeout: '1h', touchInterval: '5m' })
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    await ann.visit(isAlive)
    await elapse(4 * MINUTE)
    await ann.visit(isAlive)
    expect(watched.calls).not.toContain('touch')
    await elapse(2 * MINUTE)
    const request = ann.open()
    await request.session.load()
    await request.commit()
    await request.commit()
    expect(watched.calls.filter((call) => call === 'touch')).toHaveLength(1)

    await elapse(6 * MINUTE)
    watched.calls.length = 0
    await ann.visit((session) => session.set('b', 1))
    expect(watched.calls, 'a save notes it too').toEqual(['load', 'save'])
  })

  it('no request waits for an access to be noted, nor fails with it', async () => {
    const { visitor, elapse, watched, sessions } = await open({ idleTimeout: '1h' })
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    await elapse(30 * MINUTE)
    const held = watched.hold('touch')
    expect(await ann.visit(isAlive)).toBe(true)
    await held.reached
    held.release(new Error('no answer'))
    await elapse(1)
    expect(await ann.visit(isAlive)).toBe(true)
    await sessions.close()
  })

  it('ends at its absolute timeout, however much it is used', async () => {
    const { visitor, elapse } = await open({ idleTimeout: '1h', absoluteTimeout: '2h' })
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    for (let visit = 0; visit < 3; visit += 1) {
      await elapse(30 * MINUTE)
      await ann.visit((session) => session.set('a', visit))
    }
    await ann.visit(async (session) => {
      await session.load()
      expect(Number(session.expiresAt) - Number(session.createdAt)).toBe(2 * HOUR)
    })
    await elapse(30 * MINUTE)
    expect(await ann.visit(isAlive)).toBe(false)
  })

  it('restarts the absolute timeout at each sign-in, and at nothing else', async () => {
    const { visitor, elapse } = await open({ idleTimeout: '1h', absoluteTimeout: '2h' })
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    await elapse(50 * MINUTE)
    await ann.visit((session) => session.rotate())
    await elapse(50 * MINUTE)
    await ann.visit((session) => session.signIn('ann'))
    for (let visit = 0; visit < 2; visit += 1) {
      await elapse(50 * MINUTE)
      await ann.visit((session) => session.rotate())
      expect(await ann.visit(isAlive)).toBe(true)
    }
    await elapse(21 * MINUTE)
    expect(await ann.visit(isAlive)).toBe(false)
  })

  it("lives for ever while it is used when the absolute timeout is 'none'", async () => {
    const { visitor, elapse } = await open({ idleTimeout: '1h', absoluteTimeout: 'none' })
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    for (let visit = 0; visit < 3; visit += 1) {
      await elapse(HOUR - 5 * MINUTE)
      await ann.visit((session) => session.set('visit', visit))
    }
    await ann.visit((session) => session.setLifetime({ idleTimeout: '100d' }))
    expect(ann.setCookies[0]).toContain(`Max-Age=${400 * 86_400};`)
    await elapse(99 * DAY)
    expect(await ann.visit(isAlive)).toBe(true)
  })

  it('a lifetime of its own is stored with the session and outlives the browser', async () => {
    const { visitor, elapse } = await open({ idleTimeout: '1h', absoluteTimeout: '30d' })
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    expect(ann.setCookies[0]).not.toContain('Max-Age')
    const before = ann.token
    await ann.visit((session) =>
      session.setLifetime({ idleTimeout: '14d', absoluteTimeout: '60d' }),
    )
    expect(ann.token, 'it comes with a new token').not.toBe(before)
    const maxAge = Number(/Max-Age=(\d+)/.exec(String(ann.setCookies[0]))?.[1])
    expect(60 * 86_400 - maxAge).toBeLessThan(60)

    for (let visit = 0; visit < 4; visit += 1) {
      await elapse(13 * DAY)
      await ann.visit((session) => session.set('visit', visit))
    }
    await elapse(7 * DAY)
    expect(await ann.visit(isAlive)).toBe(true)
    await elapse(2 * DAY)
    expect(await ann.visit(isAlive), 'the absolute timeout counts from creation').toBe(false)
  })

  it('a lifetime set before the first value begins with the session', async () => {
    const { visitor, elapse, watched } = await open({ idleTimeout: '1h' })
    const ann = visitor()
    await ann.visit((session) => {
      session.setLifetime({ idleTimeout: '2d' })
      session.set('a', 1)
    })
    expect(watched.calls).toEqual(['create'])
    expect(ann.setCookies[0]).toContain('Max-Age')
    await elapse(47 * HOUR)
    expect(await ann.visit(isAlive)).toBe(true)
    const stranger = visitor()
    await stranger.visit((session) => session.setLifetime({ idleTimeout: '2d' }))
    expect(stranger.token, 'alone it is nothing to store').toBeNull()
  })

  it('a lifetime set before a sign-in goes with it, whichever user was signed in before', async () => {
    const { visitor, elapse } = await open({ idleTimeout: '1h' })
    for (const before of [null, 'anonymous', 'ann', 'bob']) {
      const browser = visitor()
      if (before === 'anonymous') await browser.visit((session) => session.set('old', 1))
      else if (before !== null) await browser.visit((session) => session.signIn(before))
      await browser.visit(async (session) => {
        session.setLifetime({ idleTimeout: '2d' })
        await session.signIn('ann')
        session.set('a', 1)
      })
      expect(browser.setCookies).toHaveLength(1)
      expect(browser.setCookies[0], `before: ${before}`).toContain('Max-Age')
      await elapse(47 * HOUR)
      expect(await browser.visit(isAlive)).toBe(true)
    }
  })

  it('a later sign-in goes back to the lifetime of the settings', async () => {
    const { visitor, elapse } = await open({ idleTimeout: '1h', absoluteTimeout: '30d' })
    const ann = visitor()
    await ann.visit(async (session) => {
      session.setLifetime({ idleTimeout: '14d', absoluteTimeout: '60d' })
      await session.signIn('ann')
    })
    await ann.visit(async (session) => {
      await session.signIn('ann')
      session.set('a', 1)
    })
    expect(ann.setCookies[0]).not.toContain('Max-Age')
    await elapse(59 * MINUTE)
    expect(await ann.visit(isAlive)).toBe(true)
    await elapse(2 * HOUR)
    expect(await ann.visit(isAlive)).toBe(false)
  })

  it('a sign-in brings its own lifetime, whatever was set before it, in one call', async () => {
    const { visitor, elapse, watched } = await open({ idleTimeout: '1h', absoluteTimeout: '30d' })
    const remembered = { idleTimeout: '14d', absoluteTimeout: '60d' } as const
    const [stranger, known] = [visitor(), visitor()]
    await known.visit((session) => session.set('a', 1))
    watched.calls.length = 0
    await stranger.visit((session) => {
      session.set('a', 1)
      return session.signIn('ann', { lifetime: remembered })
    })
    expect(watched.calls).toEqual(['create'])
    await known.visit(async (session) => {
      session.setLifetime({ idleTimeout: '5m' })
      await session.signIn('ann', { lifetime: remembered })
    })
    for (const browser of [stranger, known]) {
      expect(browser.setCookies[0]).toMatch(/Max-Age=518[34]\d{3}/)
    }
    await elapse(13 * DAY)
    for (const browser of [stranger, known]) expect(await browser.visit(isAlive)).toBe(true)
    await elapse(14 * DAY)
    for (const browser of [stranger, known]) expect(await browser.visit(isAlive)).toBe(false)
  })

  it('a sign-in that fails leaves no lifetime behind', async () => {
    const { visitor, watched, elapse } = await open({ idleTimeout: '1h' })
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    const request = ann.open()
    await request.session.load()
    watched.fail('save', new StoreUnavailableError('Not now.', 'none'))
    await expect(
      request.session.signIn('ann', { lifetime: { idleTimeout: '14d' } }),
    ).rejects.toThrow(StoreUnavailableError)
    request.session.set('a', 2)
    await request.commit()
    await elapse(2 * HOUR)
    expect(await ann.visit(isAlive)).toBe(false)
  })

  it('refuses a wrong option of a sign-in, and signs no user in', async () => {
    const { visitor, stored } = await open()
    const ann = visitor()
    const refused: [object, string][] = [
      [{ lifetime: { idleTimeout: 3600 } }, "such as '30m', '1h' or '14d'"],
      [{ remember: true }, "Write lifetime: { idleTimeout: '30d' }"],
      [{ lifetme: {} }, 'Did you mean lifetime?'],
    ]
    for (const [options, message] of refused) {
      await expect(ann.visit((session) => session.signIn('ann', options))).rejects.toThrow(message)
    }
    expect(await stored()).toBe(0)
  })

  it('a shorter lifetime takes effect at once', async () => {
    const { visitor, elapse } = await open({ idleTimeout: '1h' })
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    await ann.visit((session) => session.setLifetime({ idleTimeout: '5m', absoluteTimeout: '10m' }))
    await elapse(5 * MINUTE)
    expect(await ann.visit(isAlive)).toBe(false)
  })

  it('refuses a lifetime that contradicts itself or the settings, and changes nothing', async () => {
    const { visitor, watched } = await open({ idleTimeout: '1h', absoluteTimeout: '30d' })
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    watched.calls.length = 0
    await ann.visit((session) => {
      const set = (lifetime: object): (() => void) => {
        return () => session.setLifetime(lifetime as { idleTimeout: '1h' })
      }
      expect(set({ idleTimeout: '2h', absoluteTimeout: '1h' })).toThrow(
        "absoluteTimeout ('1h') is shorter than idleTimeout ('2h')",
      )
      expect(set({ idleTimeout: '60d' })).toThrow("Write absoluteTimeout: '60d' or more")
      expect(set({ idleTimeout: 3600 })).toThrow("such as '30m', '1h' or '14d'")
      expect(set({})).toThrow(ConfigurationError)
      expect(set({ idleTimeout: '1h', absoluteTimeout: 'never' })).toThrow(ConfigurationError)
    })
    expect(watched.calls).toEqual([])
  })

  it('the expiry is judged by the store, purged or not, and nothing revives it', async () => {
    const { visitor, elapse, stored, sessions } = await open({ idleTimeout: '1h' })
    const ann = visitor()
    await ann.visit((session) => session.signIn('ann'))
    const late = ann.open()
    await late.session.load()
    await elapse(HOUR)
    late.session.set('a', 1)
    await expect(late.commit()).rejects.toMatchObject({ code: 'ERR_SESSION_GONE' })
    await ann.visit(async (session) => {
      await session.load()
      expect([session.id, session.userId]).toEqual([null, null])
    })
    expect(await stored(), 'its row is still there').toBe(1)
    expect(await sessions.listByUser('ann')).toEqual([])
    expect(await ann.visit((session) => session.has('a'))).toBe(false)
  })

  it('an expired visitor who stores something gets another session', async () => {
    const { visitor, elapse } = await open({ idleTimeout: '1h' })
    const ann = visitor()
    await ann.visit((session) => session.set('old', 1))
    const before = ann.token
    await elapse(HOUR)
    await ann.visit((session) => session.set('new', 1))
    expect(ann.token?.slice(0, 22)).not.toBe(before?.slice(0, 22))
    expect(await ann.visit((session) => session.entries())).toEqual([['new', 1]])
  })

  it('a rotation keeps id, data, user and deadline, and kills the old token', async () => {
    const { visitor } = await open()
    const ann = visitor()
    await ann.visit(async (session) => {
      await session.signIn('ann')
      session.set('a', 1)
    })
    const facts = async (): Promise<unknown> =>
      ann.visit(async (session) => {
        await session.load()
        const { id, userId, data, createdAt, authenticatedAt } = session
        return { id, userId, data: { ...data }, createdAt, authenticatedAt }
      })
    const before = await facts()
    const old = ann.twin()
    await ann.visit((session) => session.rotate())
    expect(ann.token).not.toBe(old.token)
    expect(await facts()).toEqual(before)
    expect(await old.visit(isAlive)).toBe(false)
  })

  it('a rotation that comes second saves its data, and sends no cookie', async () => {
    const { visitor } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    const tab = ann.twin()
    const second = tab.open()
    await second.session.load()
    await ann.visit((session) => session.rotate())
    second.session.set('b', 2)
    second.session.rotate()
    await second.commit()
    expect(tab.setCookies).toEqual([])
    expect(Object.fromEntries(await ann.visit((session) => session.entries()))).toEqual({
      a: 1,
      b: 2,
    })
  })

  it('a rotation without a session stores nothing', async () => {
    const { visitor, stored } = await open()
    const stranger = visitor()
    await stranger.visit((session) => session.rotate())
    expect(stranger.token).toBeNull()
    expect(await stored()).toBe(0)
  })
})
