import {
  ConfigurationError,
  SessionGoneError,
  SessionsClosedError,
  StoreUnavailableError,
} from 'pg-sessions'
import { describe, expect, it } from 'vitest'
import { type Bench, eachStore } from '../support/each-store.ts'
import type { Visitor } from '../support/each-store-visitor.ts'

type Data = Record<string, unknown>

async function signIn({ visitor }: Bench<Data>, userId: string): Promise<[Visitor<Data>, string]> {
  const browser = visitor()
  const id = await browser.visit(async (session) => {
    await session.signIn(userId)
    return String(session.id)
  })
  return [browser, id]
}

const userOf = (browser: Visitor<Data>): Promise<string | null> =>
  browser.visit(async (session) => session.load().then(() => session.userId))

eachStore((open) => {
  it.each([undefined, null, '', 'a\0b', '\ud800', 7, 'x'.repeat(256)])(
    'refuses %j as a user, who has no sessions to list or to end',
    async (user) => {
      const { sessions } = await open()
      const userId = user as string
      await expect(sessions.listByUser(userId)).rejects.toThrow(ConfigurationError)
      await expect(sessions.destroyByUser(userId)).rejects.toThrow(ConfigurationError)
      expect(await sessions.destroyById(crypto.randomUUID(), { userId })).toBe(false)
    },
  )

  it.each([undefined, null, 7, {}])('refuses %j as the id of a session', async (id) => {
    const { sessions } = await open()
    await expect(sessions.destroyById(id as string)).rejects.toThrow(ConfigurationError)
    const except = [id as string]
    await expect(sessions.destroyByUser('ann', { except })).rejects.toThrow(ConfigurationError)
  })

  it("lists a user's live sessions, the last used first, with what may be shown of them", async () => {
    const bench = await open({ idleTimeout: '1h' })
    const { sessions, elapse } = bench
    const [, expired] = await signIn(bench, 'ann')
    await elapse(40 * 60_000)
    const [browser, older] = await signIn(bench, 'ann')
    await elapse(60_000)
    const [, newer] = await signIn(bench, 'ann')
    await signIn(bench, 'bob')
    await bench.visitor().visit((session) => session.set('a', 1))
    expect((await sessions.listByUser('ann')).map(({ id }) => id)).toEqual([newer, older, expired])
    await elapse(20 * 60_000)
    await browser.visit((session) => session.set('a', 1))
    const list = await sessions.listByUser('ann')
    expect(list.map(({ id }) => id)).toEqual([older, newer])
    for (const info of list) {
      expect(Object.keys(info).sort()).toEqual([
        'actor',
        'authenticatedAt',
        'createdAt',
        'device',
        'expiresAt',
        'id',
        'isCurrent',
        'lastAccessAt',
        'tags',
        'userId',
      ])
      expect(info.userId).toBe('ann')
      expect(Number(info.lastAccessAt)).toBeGreaterThanOrEqual(Number(info.createdAt))
      expect(Number(info.expiresAt) - Number(info.lastAccessAt)).toBe(3_600_000)
      expect(info.authenticatedAt).toEqual(info.createdAt)
    }
    expect(await sessions.listByUser('nobody')).toEqual([])
  })

  it('ends a session by its id, at once and for good', async () => {
    const bench = await open()
    const [browser, id] = await signIn(bench, 'ann')
    const late = browser.open()
    await late.session.load()
    expect(await bench.sessions.destroyById(id)).toBe(true)
    expect(await bench.sessions.destroyById(id)).toBe(false)
    expect(await userOf(browser)).toBeNull()
    late.session.set('a', 1)
    await expect(late.commit()).rejects.toMatchObject({ code: 'ERR_SESSION_GONE' })
  })

  it("another user's session answers as one that does not exist, and lives on", async () => {
    const bench = await open()
    const [browser, id] = await signIn(bench, 'ann')
    const missing = 'ffffffff-ffff-7fff-bfff-ffffffffffff'
    expect(await bench.sessions.destroyById(id, { userId: 'eve' })).toBe(false)
    expect(await bench.sessions.destroyById(missing, { userId: 'eve' })).toBe(false)
    expect(await userOf(browser)).toBe('ann')
    expect(bench.events.filter(([name]) => name === 'destroyed')).toEqual([])
    expect(await bench.sessions.destroyById(id.toUpperCase(), { userId: 'ann' })).toBe(true)
  })

  it('an owner without a user id owns no session', async () => {
    const bench = await open()
    const [browser, id] = await signIn(bench, 'ann')
    const strangers = [{ userId: null }, { userId: undefined }, {} as { userId: undefined }, null]
    for (const stranger of strangers) {
      expect(await bench.sessions.destroyById(id, stranger)).toBe(false)
    }
    expect(await userOf(browser)).toBe('ann')
    expect(bench.events.filter(([name]) => name === 'destroyed')).toEqual([])
  })

  it('what is not an id ends nothing, and is not an error', async () => {
    const { sessions } = await open()
    for (const id of ['', 'me', "' or 1=1 --", '*', '%', 'f'.repeat(32), `${'f'.repeat(36)}\n`]) {
      expect(await sessions.destroyById(id)).toBe(false)
    }
  })

  it('signs a user out everywhere, but for the sessions named', async () => {
    const bench = await open()
    const [[one, oneId], [two, twoId], [three], [bobs]] = [
      await signIn(bench, 'ann'),
      await signIn(bench, 'ann'),
      await signIn(bench, 'ann'),
      await signIn(bench, 'bob'),
    ] as const
    expect(await bench.sessions.destroyByUser('ann', { except: [oneId, twoId] })).toBe(1)
    expect(await Promise.all([one, two, three, bobs].map(userOf))).toEqual([
      'ann',
      'ann',
      null,
      'bob',
    ])
    expect(await bench.sessions.destroyByUser('ann', { except: oneId })).toBe(1)
    expect(await bench.sessions.destroyByUser('ann', { except: 'no id' })).toBe(1)
    expect(await bench.sessions.destroyByUser('ann', { except: null })).toBe(0)
    expect(await Promise.all([one, two, bobs].map(userOf))).toEqual([null, null, 'bob'])
  })

  it('counts as ended only what was alive', async () => {
    const bench = await open({ idleTimeout: '1h' })
    const [, id] = await signIn(bench, 'ann')
    await signIn(bench, 'ann')
    await bench.elapse(3_600_000)
    expect(await bench.sessions.destroyById(id)).toBe(false)
    expect(await bench.sessions.destroyByUser('ann')).toBe(0)
    expect(await bench.stored(), 'the dead went all the same').toBe(0)
    expect(bench.events.filter(([name]) => name === 'destroyed')).toEqual([])
  })

  it('ends every session on demand, tells its progress, and stops after a batch when asked to', async () => {
    const bench = await open()
    const { sessions, events } = bench
    const [ann, id] = await signIn(bench, 'ann')
    await signIn(bench, 'bob')
    await bench.visitor().visit((session) => session.set('a', 1))
    const progress: number[] = []
    const stopping = AbortSignal.abort()
    expect(await sessions.destroyAll({ signal: stopping })).toBe(0)
    const onProgress = (ended: number) => progress.push(ended)
    expect(await sessions.destroyAll({ batchSize: 2, onProgress })).toBe(3)
    expect(progress).toEqual([2, 3])
    expect(await userOf(ann)).toBeNull()
    expect(await bench.stored()).toBe(0)
    expect(events).toContainEqual(['destroyed', { sessionId: id, userId: 'ann' }])
    expect(await sessions.destroyAll()).toBe(0)
    await expect(sessions.destroyAll({ batchSize: 0 })).rejects.toThrow(ConfigurationError)
  })

  it('says that some sessions have ended when the end of the others fails', async () => {
    const bench = await open()
    await signIn(bench, 'ann')
    await signIn(bench, 'bob')
    const refused = new StoreUnavailableError('refused', 'none')
    bench.watched.fail('destroyPage', refused)
    await expect(bench.sessions.destroyAll({ batchSize: 1 })).rejects.toBe(refused)
    const onProgress = () => bench.watched.fail('destroyPage', refused)
    await expect(bench.sessions.destroyAll({ batchSize: 1, onProgress })).rejects.toMatchObject({
      outcome: 'unknown',
      message: expect.stringContaining('Ended so far: 1.'),
    })
  })

  it('exports all that is stored of a user as JSON, and deletes it', async () => {
    const bench = await open()
    const { sessions, elapse, stored } = bench
    const [, expired] = await signIn(bench, 'ann')
    await elapse(2 * 3_600_000)
    const [browser, id] = await signIn(bench, 'ann')
    const data = { basket: ['apple'], ['__proto__']: 'p', large: 'x'.repeat(20_000) }
    await browser.visit((session) => {
      for (const [key, value] of Object.entries(data)) session.set(key, value)
    })
    await signIn(bench, 'bob')
    const { userId, sessions: exported } = JSON.parse(
      JSON.stringify(await sessions.exportUser('ann')),
    )
    expect(userId).toBe('ann')
    const [live] = exported.filter((session: { id: string }) => session.id === id)
    expect(exported.map((session: { id: string }) => session.id).sort()).toEqual(
      [expired, id].sort(),
    )
    expect(Object.entries(live.data)).toEqual(expect.arrayContaining(Object.entries(data)))
    expect(Date.parse(live.authenticatedAt)).toBeGreaterThan(0)
    expect(JSON.stringify(exported)).not.toMatch(/hash|bob/i)

    const late = browser.open()
    await late.session.load()
    expect(await sessions.deleteUser('ann')).toBe(1)
    expect(await sessions.deleteUser('ann')).toBe(0)
    late.session.set('a', 1)
    await expect(late.commit()).rejects.toThrow(SessionGoneError)
    expect(await sessions.exportUser('ann')).toEqual({ userId: 'ann', sessions: [] })
    expect(await stored(), "bob's stays").toBe(1)
    for (const call of [() => sessions.exportUser(''), () => sessions.deleteUser('')]) {
      await expect(call()).rejects.toThrow(ConfigurationError)
    }
  })

  describe('close', () => {
    it('waits for accesses that are being noted', async () => {
      const { visitor, elapse, watched, sessions } = await open({ idleTimeout: '1h' })
      const ann = visitor()
      await ann.visit((session) => session.set('a', 1))
      await elapse(30 * 60_000)
      const held = watched.hold('touch')
      await ann.visit((session) => session.load())
      await held.reached
      let isClosed = false
      const closing = sessions.close().then(() => {
        isClosed = true
      })
      await new Promise(setImmediate)
      expect(isClosed).toBe(false)
      held.release()
      await closing
    })

    it('takes no more calls, says so, and lets visitors without a session be', async () => {
      const { visitor, sessions } = await open()
      const ann = visitor()
      await ann.visit((session) => session.signIn('ann'))
      const { session, commit } = ann.open()
      await session.load()
      await sessions.close()
      await sessions.close()
      session.set('a', 1)
      for (const call of [
        () => commit(),
        () => session.update('a', () => 1),
        () => ann.visit((it) => it.load()),
        () => visitor().visit((it) => it.set('a', 1)),
        () => sessions.listByUser('ann'),
        () => sessions.destroyById(String(session.id)),
        () => sessions.count(),
        () => sessions.purge(),
        () => sessions.ready(),
      ]) {
        await expect(call()).rejects.toThrow(SessionsClosedError)
        await expect(call()).rejects.toMatchObject({ code: 'ERR_SESSIONS_CLOSED', statusCode: 503 })
      }
      await visitor().visit(async (it) => expect(await it.get('a')).toBeUndefined())
    })
  })

  it('is ready when its store is', async () => {
    const { sessions, watched } = await open()
    await sessions.ready()
    expect(watched.calls).toEqual([])
    watched.fail('count', new StoreUnavailableError('no answer', 'none'))
    await expect(sessions.count()).rejects.toMatchObject({ statusCode: 503, outcome: 'none' })
  })
})
