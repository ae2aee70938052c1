import {
  ConfigurationError,
  createSessions,
  LimitExceededError,
  MemoryStore,
  SessionGoneError,
  UnsupportedError,
  type WatchEndReason,
} from 'pg-sessions'
import { expect, it } from 'vitest'
import { eachStore } from '../support/each-store.ts'

eachStore((open) => {
  it('tags at the sign-in itself, so that no session is ever without', async () => {
    const { visitor, sessions, watched } = await open()
    const [ann, bob] = [visitor(), visitor()]
    await ann.visit((session) => session.signIn('ann', { tags: ['oidc:1', 'oidc:1'] }))
    expect(watched.calls).toEqual(['create'])
    await bob.visit((session) => session.set('basket', []))
    await bob.visit((session) => session.signIn('bob', { tags: ['oidc:2', 'tenant:7'] }))
    await bob.visit((session) => session.signIn('bob'))
    expect((await sessions.listByTag('oidc:1')).map(({ userId }) => userId)).toEqual(['ann'])
    expect(await sessions.listByUser('bob')).toMatchObject([{ tags: ['oidc:2', 'tenant:7'] }])
    // Who takes the session over takes none of its tags along.
    await bob.visit((session) => session.signIn('cid'))
    expect(await sessions.listByUser('cid')).toMatchObject([{ tags: [] }])
    const [exported] = (await sessions.exportUser('ann')).sessions
    expect(exported?.tags).toEqual(['oidc:1'])
  })

  it('adds, takes away and reads tags at once, and a load reads none', async () => {
    const { visitor, sessions, watched } = await open()
    const ann = visitor()
    await ann.visit((session) => session.signIn('ann'))
    watched.calls.length = 0
    await ann.visit(async (session) => {
      expect(await session.tag('a', 'b')).toEqual(['a', 'b'])
      expect(await session.untag('a', 'c')).toEqual(['b'])
      expect(await session.tags()).toEqual(['b'])
    })
    expect(watched.calls).toEqual(['load', 'tag', 'tag', 'tag'])
    expect(await sessions.listByTag('b')).toHaveLength(1)
    expect(await sessions.listByTag('a')).toEqual([])
  })

  it('ends the sessions with a tag, tells of each, and wakes those who watch them', async () => {
    const { visitor, sessions, alongside, events, settled } = await open()
    const [ann, bob, eve] = [visitor(), visitor(), visitor()]
    for (const [who, userId] of [
      [ann, 'ann'],
      [bob, 'bob'],
      [eve, 'eve'],
    ] as const) {
      await who.visit((session) => session.signIn(userId, { tags: ['tenant:7'] }))
    }
    const ends: WatchEndReason[] = []
    const [kept] = await sessions.listByUser('eve')
    for (const { id } of await sessions.listByTag('tenant:7')) {
      if (id !== kept?.id) sessions.watch(id, (end) => ends.push(end))
    }
    events.length = 0
    expect(await sessions.destroyByTag('tenant:7', { except: kept?.id ?? null })).toBe(2)
    expect(events.map(([name, event]) => [name, 'userId' in event && event.userId]).sort()).toEqual(
      [
        ['destroyed', 'ann'],
        ['destroyed', 'bob'],
      ],
    )
    await expect.poll(() => ends).toEqual(['gone', 'gone'])
    expect(await eve.visit((session) => session.has('a').then(() => session.userId))).toBe('eve')
    expect(await alongside().destroyByTag('tenant:7')).toBe(1)
    await settled()
    const gone = ann.visit(async (session) => {
      await session.load()
      return session.userId
    })
    expect(await gone).toBeNull()
  })

  it('refuses what is not a tag, too many, and a visitor without a stored session', async () => {
    const { visitor, sessions, stored } = await open()
    const many = Array.from({ length: 17 }, (_, n) => `tag ${n}`)
    const wrong = ['', 'a'.repeat(256), 'a\0b', '\ud800', 7, null] as string[]
    for (const tag of wrong) {
      const signIn = visitor().visit((session) => session.signIn('ann', { tags: [tag] }))
      await expect(signIn).rejects.toThrow(ConfigurationError)
      await expect(sessions.listByTag(tag)).rejects.toThrow(ConfigurationError)
      await expect(sessions.destroyByTag(tag)).rejects.toThrow(ConfigurationError)
    }
    const notTags = visitor().visit((s) => s.signIn('ann', { tags: 'a' as unknown as string[] }))
    await expect(notTags).rejects.toThrow(ConfigurationError)
    const tooMany = visitor().visit((session) => session.signIn('ann', { tags: many }))
    await expect(tooMany).rejects.toThrow(LimitExceededError)
    await expect(visitor().visit((session) => session.tag('a'))).rejects.toThrow(ConfigurationError)
    expect(await stored()).toBe(0)
    const ann = visitor()
    await ann.visit((session) => session.signIn('ann', { tags: many.slice(1) }))
    await expect(ann.visit((session) => session.tag('one more'))).rejects.toThrow(
      LimitExceededError,
    )
    const late = ann.open()
    await late.session.load()
    await sessions.destroyByUser('ann')
    await expect(late.session.tag('a')).rejects.toThrow(SessionGoneError)
  })
})

it('says so where the store keeps no tags, and signs no user in', async () => {
  const store = new MemoryStore()
  const without = new Proxy(store, {
    get: (target, name) => {
      if (name === 'tag' || name === 'listByTag' || name === 'destroyByTag') return undefined
      const member = Reflect.get(target, name)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
  const sessions = createSessions({ store: without, log: false })
  const { session } = sessions.open(null)
  await expect(session.signIn('ann', { tags: ['a'] })).rejects.toThrow(UnsupportedError)
  await expect(sessions.listByTag('a')).rejects.toThrow(UnsupportedError)
  await expect(sessions.destroyByTag('a')).rejects.toThrow(UnsupportedError)
  await session.signIn('ann')
  await expect(session.tag('a')).rejects.toThrow(UnsupportedError)
  expect(await store.count()).toEqual({ live: 1, expired: 0 })
})
