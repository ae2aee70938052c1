import {
  ConfigurationError,
  createSessions,
  MemoryStore,
  SessionGoneError,
  type SessionSettings,
  UnsupportedError,
} from 'pg-sessions'
import { describe, expect, it } from 'vitest'
import { eachStore } from '../support/each-store.ts'

eachStore((open) => {
  it('notes a factor by the clock of the store, under a new token', async () => {
    const { visitor, elapse, watched, events } = await open({ idleTimeout: '2h' })
    const ann = visitor()
    await ann.visit((session) => session.signIn('ann'))
    const before = ann.twin()
    watched.calls.length = 0
    await ann.visit(async (session) => {
      expect(await session.elevatedWithin('1h')).toBe(false)
      session.set('basket', ['apple'])
      await session.elevate({ factor: 'totp' })
      expect(await session.elevatedWithin('1m')).toBe(true)
    })
    expect(watched.calls).toEqual(['load', 'save'])
    expect(events.at(-1)?.[0]).toBe('rotated')
    expect(await before.visit((session) => session.elevatedWithin('1h'))).toBe(false)
    await elapse(9 * 60_000)
    expect(await ann.visit((session) => session.elevatedWithin('10m'))).toBe(true)
    expect(await ann.visit((session) => session.get('basket'))).toEqual(['apple'])
    await elapse(2 * 60_000)
    expect(await ann.visit((session) => session.elevatedWithin('10m'))).toBe(false)
    expect(await ann.visit((session) => session.elevatedWithin('12m'))).toBe(true)
  })

  it('forgets the factor at a sign-in, in the same request and in the next', async () => {
    const { visitor } = await open()
    const ann = visitor()
    await ann.visit(async (session) => {
      await session.signIn('ann')
      await session.elevate({ factor: 'totp' })
      await session.signIn('ann')
      expect(await session.elevatedWithin('1h')).toBe(false)
    })
    expect(await ann.visit((session) => session.elevatedWithin('1h'))).toBe(false)
  })

  it('of two requests that prove a factor at once, one does, and the other changes nothing', async () => {
    const { visitor, sessions } = await open()
    const ann = visitor()
    await ann.visit((session) => session.signIn('ann'))
    const requests = [ann.open(), ann.twin().open()]
    await Promise.all(requests.map(({ session }) => session.load()))
    const results = await Promise.allSettled(
      requests.map(({ session }) => session.elevate({ factor: 'totp' })),
    )
    const failed = results.filter(({ status }) => status === 'rejected')
    expect(failed).toMatchObject([{ reason: expect.any(SessionGoneError) }])
    expect(await sessions.listByUser('ann')).toHaveLength(1)
  })

  it('needs a signed-in user of their own, and a name', async () => {
    const { visitor } = await open()
    const ann = visitor()
    const elevate = (factor: unknown) =>
      ann.visit((session) => session.elevate({ factor: factor as string }))
    await expect(elevate('totp')).rejects.toThrow(ConfigurationError)
    await ann.visit((session) => session.signIn('ann'))
    for (const factor of ['', 'a\0b', 7, undefined]) {
      await expect(elevate(factor)).rejects.toThrow(ConfigurationError)
    }
    await ann.visit((session) => session.signIn('bob', { actor: 'ann' }))
    await expect(elevate('totp')).rejects.toThrow('Call endImpersonation first')
    expect(await ann.visit((session) => session.elevatedWithin('1h'))).toBe(false)
  })
})

it('says so where the store keeps no factors', async () => {
  const store = new MemoryStore()
  Object.defineProperty(store, 'keepsFactors', { value: undefined })
  const { session } = createSessions({ store, log: false }).open(null)
  await session.signIn('ann')
  await expect(session.elevate({ factor: 'totp' })).rejects.toThrow(UnsupportedError)
})

describe('the setting assurance', () => {
  const store = new MemoryStore()
  const make = (settings: SessionSettings) => createSessions({ store, log: false, ...settings })
  const expiry = async (settings: SessionSettings, lifetime?: object): Promise<number> => {
    const { session } = make(settings).open(null)
    await session.signIn('ann', lifetime === undefined ? {} : { lifetime: lifetime as never })
    return Math.round(((session.expiresAt?.getTime() ?? 0) - Date.now()) / 60_000)
  }

  it('sets the timeouts of its level, unless shorter ones are set', async () => {
    expect(await expiry({ assurance: 'aal1' })).toBe(60)
    expect(await expiry({ assurance: 'aal2' })).toBe(60)
    expect(await expiry({ assurance: 'aal3' })).toBe(15)
    expect(await expiry({ assurance: 'aal3', idleTimeout: '5m' })).toBe(5)
    expect(await expiry({ assurance: 'aal2' }, { idleTimeout: '10m' })).toBe(10)
  })

  it.each([
    [
      { assurance: 'aal3', idleTimeout: '20m' },
      "idleTimeout ('20m') is longer than assurance: 'aal3'",
    ],
    [{ assurance: 'aal3', absoluteTimeout: '13h' }, "Write '12h' or less"],
    [{ assurance: 'aal2', absoluteTimeout: 'none' }, "absoluteTimeout ('none')"],
    [{ assurance: 'aal1', absoluteTimeout: '31d' }, "Write '30d' or less"],
    [{ assurance: 'aal4' }, "'aal1', 'aal2' or 'aal3'"],
  ] as [SessionSettings, string][])('refuses %j', (settings, message) => {
    expect(() => make(settings)).toThrow(message)
  })

  it('refuses a longer lifetime of one session, and signs no user in', async () => {
    const signIn = expiry({ assurance: 'aal2' }, { idleTimeout: '30d', absoluteTimeout: '90d' })
    await expect(signIn).rejects.toThrow("idleTimeout ('30d') is longer than assurance: 'aal2'")
  })
})
