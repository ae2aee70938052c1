import {
  ConfigurationError,
  createSessions,
  MemoryStore,
  type Session,
  SessionGoneError,
  StoreUnavailableError,
  UnsupportedError,
  type WatchEndReason,
} from 'pg-sessions'
import { expect, it } from 'vitest'
import { isActorLive } from '../../src/session/actor-liveness.ts'
import { begin, rotation, save } from '../../src/testing/store-contract/samples.ts'
import { eachStore, type OpenBench } from '../support/each-store.ts'

const who = async (session: Session<Record<string, unknown>>) => {
  await session.load()
  return [session.userId, session.actor]
}

/** An administrator who acts as Ann. */
async function acting(open: OpenBench, settings = {}) {
  const bench = await open(settings)
  const admin = bench.visitor()
  await admin.visit(async (session) => {
    session.set('notes', ['of the administrator'])
    await session.signIn('admin')
  })
  const before = admin.twin()
  await admin.visit((session) => session.signIn('ann', { actor: 'admin' }))
  return { ...bench, admin, before }
}

eachStore((open) => {
  it("acts as a user in a session of its own, which holds nothing of the administrator's", async () => {
    const { admin, before, sessions, events } = await acting(open)
    expect(await admin.visit(who)).toEqual(['ann', 'admin'])
    await admin.visit(async (session) => {
      expect(await session.entries()).toEqual([])
      expect(await session.authenticatedWithin('1h')).toBe(false)
      expect(session.authenticatedAt).toBeNull()
      session.set('basket', ['of Ann'])
    })
    // The administrator's own session is as it was, for other tabs and for a lost response.
    expect(await before.visit(who)).toEqual(['admin', null])
    const [listed] = await sessions.listByUser('ann')
    expect(listed).toMatchObject({ userId: 'ann', actor: 'admin' })
    expect(await sessions.listByUser('admin')).toMatchObject([{ actor: null }])
    expect((await sessions.exportUser('ann')).sessions).toMatchObject([{ actor: 'admin' }])
    expect(events).toContainEqual([
      'signedIn',
      { sessionId: listed?.id, userId: 'ann', actor: 'admin' },
    ])
  })

  it("goes back to the administrator's own session with its data, under a new token", async () => {
    const { admin, before, sessions, events } = await acting(open)
    const stolen = admin.twin()
    const isBack = await admin.visit(async (session) => {
      const result = await session.endImpersonation()
      expect(await session.get('notes')).toEqual(['of the administrator'])
      expect(await who(session)).toEqual(['admin', null])
      return result
    })
    expect(isBack).toBe(true)
    expect(await admin.visit(who)).toEqual(['admin', null])
    expect(await admin.visit((session) => session.authenticatedWithin('1h'))).toBe(true)
    for (const other of [before, stolen]) expect(await other.visit(who)).toEqual([null, null])
    expect(await sessions.listByUser('ann')).toEqual([])
    expect(events.at(-1)?.[0]).not.toBe('signedIn')
    expect(events.map(([name]) => name)).toContain('impersonationEnded')
    const token = admin.token
    // A second click, in this tab and in one that still shows the old page.
    expect(await admin.visit((session) => session.endImpersonation())).toBe(true)
    expect(admin.token).toBe(token)
    expect(await stolen.visit((session) => session.endImpersonation())).toBe(false)
    expect(await admin.visit(who)).toEqual(['admin', null])
  })

  it.each([
    ['destroyByUser', (sessions, _) => sessions.destroyByUser('admin')],
    ['destroyById', (sessions, id) => sessions.destroyById(id)],
    ['destroyAll', (sessions) => sessions.destroyAll()],
  ] as [string, (sessions: ReturnType<typeof createSessions>, id: string) => Promise<unknown>][])(
    "ends with the administrator's own session, ended by %s, and a socket is told",
    async (_, end) => {
      const { admin, sessions, alongside } = await acting(open)
      const [own] = await sessions.listByUser('admin')
      const [listed] = await sessions.listByUser('ann')
      const ends: WatchEndReason[] = []
      for (const it of [sessions, alongside()]) it.watch(listed?.id ?? '', (why) => ends.push(why))
      await end(sessions as never, own?.id ?? '')
      await expect.poll(() => ends).toEqual(['gone', 'gone'])
      expect(await sessions.listByUser('ann')).toEqual([])
      const stays = admin.open()
      expect(await who(stays.session)).toEqual([null, null])
      expect(await stays.session.endImpersonation()).toBe(false)
    },
  )

  it('is signed out when there is no own session to go back to, also while it is on its way', async () => {
    const { admin, sessions } = await acting(open)
    const request = admin.open()
    await request.session.load()
    await sessions.destroyByUser('admin')
    expect(await request.session.endImpersonation()).toBe(false)
    await request.commit()
    expect(admin.token).toBeNull()
  })

  it('signs out of both sessions', async () => {
    const { admin, before, stored, events } = await acting(open)
    await admin.visit((session) => session.signOut())
    expect(await stored()).toBe(0)
    expect(await before.visit(who)).toEqual([null, null])
    expect(events.filter(([name]) => name === 'destroyed')).toHaveLength(2)
  })

  it('ends after atMost, whatever is done in it, and never outlives the own session', async () => {
    const { admin, visitor, elapse } = await acting(open, {
      idleTimeout: '1h',
      touchInterval: '1m',
    })
    for (let n = 0; n < 5; n += 1) {
      await elapse(11 * 60_000)
      expect(await admin.visit(who)).toEqual(['ann', 'admin'])
    }
    await elapse(11 * 60_000)
    expect(await admin.visit(who)).toEqual([null, null])
    const other = visitor()
    await other.visit((session) => session.signIn('admin'))
    await other.visit((session) => session.signIn('ann', { actor: 'admin', atMost: '5m' }))
    const lifetime = other.visit((session) => session.setLifetime({ idleTimeout: '30d' }))
    await expect(lifetime).rejects.toThrow(ConfigurationError)
    await elapse(6 * 60_000)
    expect(await other.visit(who)).toEqual([null, null])
  })

  it('expires no later than the own session, however soon that is', async () => {
    const { visitor, elapse, sessions } = await open({
      idleTimeout: '25m',
      absoluteTimeout: '30m',
    })
    const admin = visitor()
    await admin.visit((session) => session.signIn('admin'))
    await elapse(20 * 60_000)
    await admin.visit((session) => session.signIn('ann', { actor: 'admin' }))
    const [own] = await sessions.listByUser('admin')
    const [acting] = await sessions.listByUser('ann')
    const later = Number(acting?.expiresAt) - Number(own?.expiresAt)
    expect(later).toBeLessThan(60_000)
  })

  it('of two requests that go back at once, one does', async () => {
    const { admin } = await acting(open)
    const requests = [admin.open(), admin.twin().open()]
    await Promise.all(requests.map(({ session }) => session.load()))
    const results = await Promise.allSettled(
      requests.map(({ session }) => session.endImpersonation()),
    )
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    const failed = results.find(({ status }) => status === 'rejected')
    expect(failed).toMatchObject({ reason: expect.any(SessionGoneError) })
  })

  it("becomes the user's own session only by a sign-in, which leaves the acting one behind", async () => {
    const { admin, sessions } = await acting(open)
    await admin.visit((session) => session.set('basket', ['of the administrator as Ann']))
    await admin.visit((session) => session.signIn('ann'))
    expect(await admin.visit(who)).toEqual(['ann', null])
    expect(await admin.visit((session) => session.entries())).toEqual([])
    expect(await sessions.listByUser('ann')).toMatchObject([{ actor: null }])
  })

  it('is refused to anyone but the user of the session, and to one who acts already', async () => {
    const { admin, visitor, sessions } = await acting(open)
    const bob = visitor()
    await bob.visit((session) => session.signIn('bob'))
    const tries = [
      () => visitor().visit((session) => session.signIn('ann', { actor: 'admin' })),
      () => bob.visit((session) => session.signIn('ann', { actor: 'admin' })),
      () => admin.visit((session) => session.signIn('cid', { actor: 'admin' })),
      () => admin.visit((session) => session.signIn('cid', { actor: 'ann' })),
      () => bob.visit((session) => session.signIn('ann', { actor: '' })),
      () => bob.visit((session) => session.signIn('ann', { atMost: '1h' })),
      () => bob.visit((s) => s.signIn('ann', { actor: 'bob', lifetime: { idleTimeout: '1h' } })),
    ]
    for (const refused of tries) await expect(refused()).rejects.toThrow(ConfigurationError)
    expect(await sessions.listByUser('ann')).toHaveLength(1)
    expect(await sessions.listByUser('cid')).toEqual([])
    const late = bob.open()
    await late.session.load()
    await sessions.destroyByUser('bob')
    const gone = late.session.signIn('ann', { actor: 'bob' })
    await expect(gone).rejects.toThrow(SessionGoneError)
  })
})

it('says so where the store keeps no actors', async () => {
  const store = new MemoryStore()
  Object.defineProperty(store, 'endActing', { value: undefined })
  const sessions = createSessions({ store, log: false })
  const { session } = sessions.open(null)
  await session.signIn('admin')
  await expect(session.signIn('ann', { actor: 'admin' })).rejects.toThrow(UnsupportedError)
})

it.each([
  ['endImpersonation', 'admin', (session: Session) => session.endImpersonation()],
  ['signOut', null, (session: Session) => session.signOut()],
] as const)(
  'does not say that nothing was written when %s has ended the impersonation and fails later',
  async (_, whoIsLeft, end) => {
    let isDown = false
    const store = new MemoryStore()
    const fail = (): never => {
      throw new StoreUnavailableError('The network is down.', 'none')
    }
    const wrap = (name: 'endActing' | 'destroy' | 'load', goesDown: boolean): void => {
      const call = store[name] as (...given: unknown[]) => Promise<unknown>
      const wrapped = async (...given: unknown[]): Promise<unknown> => {
        if (isDown) fail()
        const answer = await call.apply(store, given)
        isDown = goesDown
        return answer
      }
      Object.assign(store, { [name]: wrapped })
    }
    // The network is gone once a statement has ended the impersonation.
    wrap('endActing', true)
    wrap('destroy', true)
    wrap('load', false)
    const sessions = createSessions({ store, log: false })
    const exchange = sessions.open(null)
    await exchange.session.signIn('admin')
    await exchange.session.signIn('ann', { actor: 'admin' })
    await expect(end(exchange.session)).rejects.toMatchObject({
      outcome: 'unknown',
      message: expect.stringContaining('has ended'),
    })
    isDown = false
    expect(await sessions.listByUser('ann')).toEqual([])
    const [cookie] = exchange.head.setCookies
    const again = sessions.open(cookie?.split(';')[0]).session
    await again.load()
    expect(again.userId).toBe(whoIsLeft)
  },
)

it("ends when the administrator's own session passes to another user", async () => {
  const store = new MemoryStore()
  const own = await begin(store, { userId: 'admin' })
  const actor = { userId: 'admin', sessionId: own.id }
  expect(await isActorLive(store, { actor }, {})).toBe(true)
  const signIn = { userId: 'mallory' }
  await save(store, own, { credentials: { ...rotation(own.secretHash), signIn } })
  expect(await isActorLive(store, { actor }, {})).toBe(false)
})
