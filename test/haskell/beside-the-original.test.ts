import { describe, expect, it } from 'vitest'
import { Visitor } from '../support/each-store-visitor.ts'
import { type OriginalRequest, OriginalSide, PatternMatchFailure } from './original-side.ts'
import { eventsOf, holds, shareDatabase, type Texts } from './shared-database.ts'

/** Both sides on one database at one time, in every order that matters. */

const shared = shareDatabase()
const { visitor, row, rows, elapse } = shared

/** A browser's session on the original's side, with an entry. */
async function begin(): Promise<{ key: string; request: OriginalRequest }> {
  const request = await shared.original.open(null)
  await request.insert('user', 'nobody')
  return { key: await request.getNewCookie(), request }
}

/** A whole login there, as its example does it. Gives the new cookie. */
async function loginThere(key: string, user: string): Promise<string> {
  const request = await shared.original.open(key)
  await shared.original.clearSession(key)
  await request.insert('user', user)
  return request.getNewCookie()
}

/** A browser whose session has a flag that no request is going to complete. */
async function leftBehind(key: string): Promise<Visitor<Texts>> {
  const ann = visitor(key, { loginTime: '1ms' })
  await ann.visit((session) => session.load())
  expect(ann.token, 'a flag is fresh when it is first seen').toBe(key)
  await shared.loginTimePasses()
  return ann
}

describe('a session that goes to and fro', () => {
  it('is one session with one key on both sides', async () => {
    const { key } = await begin()
    const ann = visitor(key)
    await ann.visit((session) => session.set('basket', 'tea'))
    expect(ann.setCookies).toEqual([])
    const there = await shared.original.open(ann.token)
    expect(await there.lookup('basket')).toBe('tea')
    await there.insert('basket', 'coffee')
    expect(await there.getNewCookie()).toBe(key)
    expect(await holds(ann)).toEqual({ user: 'nobody', basket: 'coffee' })
    expect(await rows()).toHaveLength(1)
  })

  it('may begin here: the original takes the key that we made', async () => {
    const ann = visitor()
    await ann.visit((session) => session.set('basket', 'tea'))
    expect(ann.token).toMatch(/^[0-9a-f]{48}$/)
    const there = await shared.original.open(ann.token)
    expect(await there.lookup('basket')).toBe('tea')
    expect(await there.getNewCookie()).toBe(ann.token)
    expect(await rows()).toHaveLength(1)
  })

  it('has no row for a visitor without data here, and uses the one that it has from there', async () => {
    const ann = visitor()
    expect(await holds(ann)).toEqual({})
    expect(await rows()).toEqual([])
    const there = await shared.original.open(null)
    const key = await there.getNewCookie()
    await visitor(key).visit((session) => session.set('a', '1'))
    expect((await rows()).map(({ id }) => id)).toEqual([there.id])
  })

  it('keeps what both sides write at once under different keys', async () => {
    const { key, request } = await begin()
    const ann = visitor(key)
    await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        n % 2 === 0
          ? request.insert(`key ${n}`, 'there')
          : ann.twin().visit((session) => session.set(`key ${n}`, 'here')),
      ),
    )
    expect(Object.keys(await holds(ann))).toHaveLength(21)
  })
})

describe('a login on their side while we hold a request', () => {
  it('lets nothing that we began before it reach what comes after', async () => {
    for (const moment of ['after the flag', 'after the new key'] as const) {
      const { key } = await begin()
      const ours = visitor(key).open()
      await ours.session.load()
      ours.session.set('late', 'x')

      const there = await shared.original.open(key)
      await shared.original.clearSession(key)
      await there.insert('user', 'ann')
      if (moment === 'after the flag') {
        await expect(ours.commit()).rejects.toMatchObject({ code: 'ERR_SESSION_GONE' })
      }
      const next = await there.getNewCookie()
      if (moment === 'after the new key') {
        await expect(ours.commit()).rejects.toMatchObject({ code: 'ERR_SESSION_GONE' })
      }
      expect(await holds(visitor(next))).toEqual({ user: 'ann' })
      expect(await holds(visitor(key))).toEqual({})
    }
  })

  it('refuses update and take of a request from before it, and tells them no value', async () => {
    const { key } = await begin()
    for (const act of ['update', 'take'] as const) {
      const ours = visitor(key).open()
      await ours.session.load()
      await shared.original.clearSession(key)
      await (await shared.original.open(key)).insert('user', 'ann')
      const call =
        act === 'take'
          ? ours.session.take('user')
          : ours.session.update('user', (current) => `${current} and me`)
      await expect(call).rejects.toMatchObject({ code: 'ERR_SESSION_GONE' })
      await shared.pool.query('update wai_pg_sessions set session_invalidate_key = false')
    }
    expect(await holds(visitor(key))).toEqual({ user: 'ann' })
  })

  it('is not a matter for a request of ours that only reads', async () => {
    const { key } = await begin()
    const ann = visitor(key)
    const ours = ann.open()
    expect(await ours.session.get('user')).toBe('nobody')
    const next = await loginThere(key, 'ann')
    await ours.commit()
    expect(ann.setCookies).toEqual([])
    expect(await holds(visitor(next))).toEqual({ user: 'ann' })
  })

  it('that has hung for longer than a login takes is completed by our response, with its data', async () => {
    const { key } = await begin()
    const there = await shared.original.open(key)
    await shared.original.clearSession(key)
    await there.insert('user', 'ann')
    const ann = await leftBehind(key)
    expect(await holds(ann)).toEqual({ user: 'ann' })
    expect(ann.token).not.toBe(key)
    expect(await row(ann.token ?? '')).toMatchObject({
      id: there.id,
      session_invalidate_key: false,
    })
    expect(await row(key)).toBeUndefined()
    await expect(there.getNewCookie(), 'as for any second one there').rejects.toThrow(
      PatternMatchFailure,
    )
    expect(await holds(ann)).toEqual({ user: 'ann' })
  })

  it('that was given up is completed by our response together with what it writes', async () => {
    const { key } = await begin()
    await shared.original.clearSession(key)
    const ann = await leftBehind(key)
    await ann.visit((session) => session.set('basket', 'tea'))
    expect(ann.token).not.toBe(key)
    const there = await shared.original.open(ann.token)
    expect(await there.lookup('basket')).toBe('tea')
    expect(await there.getNewCookie()).toBe(ann.token)
  })

  it('is completed by theirs when that comes first, and ours brings no key then', async () => {
    const { key } = await begin()
    await shared.original.clearSession(key)
    const ann = visitor(key)
    const ours = ann.open()
    expect(await ours.session.get('user')).toBeUndefined()
    const next = await (await shared.original.open(key)).getNewCookie()
    await ours.commit()
    expect(ann.setCookies).toEqual([])
    expect((await rows()).map((one) => one.session_key)).toEqual([next])
  })
})

describe('the flag', () => {
  it('set by itself keeps the data, and brings a new key with the next response', async () => {
    const { key } = await begin()
    await shared.pool.query('update wai_pg_sessions set session_invalidate_key = true')
    await leftBehind(key)
    const sessions = shared.sessions({ loginTime: '1ms' })
    const events = eventsOf(sessions, ['rotated', 'renewed', 'cleared'])
    const unused = await sessions.open(`__Host-id=${key}`).commit()
    expect(unused.setCookies, 'a request that does not use the session sends no cookie').toEqual([])
    const ann = new Visitor(sessions, key)
    expect(await holds(ann)).toEqual({ user: 'nobody' })
    expect(ann.token).not.toBe(key)
    expect(await holds(ann)).toEqual({ user: 'nobody' })
    expect(events).toEqual(['rotated'])
  })

  it('is completed by one of many requests at once, and the others bring no key', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { key } = await begin()
      await shared.original.clearSession(key)
      await leftBehind(key)
      const browsers = Array.from({ length: 8 }, () => visitor(key, { loginTime: '1ms' }))
      await Promise.all(browsers.map(holds))
      const keys = browsers.flatMap(({ token }) => (token === key ? [] : [token]))
      expect(keys).toHaveLength(1)
      expect(await row(String(keys[0]))).toMatchObject({ session_invalidate_key: false })
      await shared.pool.query('delete from wai_pg_sessions')
    }
  })

  it('is completed by one of both sides at once', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { key } = await begin()
      await shared.original.clearSession(key)
      await leftBehind(key)
      const [there, ...ours] = [
        await shared.original.open(key),
        ...Array.from({ length: 4 }, () => visitor(key, { loginTime: '1ms' })),
      ]
      const answers = await Promise.allSettled([there.getNewCookie(), ...ours.map(holds)])
      expect(answers.slice(1).every(({ status }) => status === 'fulfilled')).toBe(true)
      const [left] = await rows()
      const brought = ours.flatMap(({ token }) => (token === key ? [] : [token]))
      // Theirs may tell a key that it did not put in place, when ours was faster in between.
      if (brought.length === 0) {
        expect(answers[0]).toEqual({ status: 'fulfilled', value: left?.session_key })
      } else expect(brought).toEqual([left?.session_key])
      await shared.pool.query('delete from wai_pg_sessions')
    }
  })

  it('stays when the client has hung up, for a response that arrives', async () => {
    const { key } = await begin()
    await shared.original.clearSession(key)
    const ann = await leftBehind(key)
    const ours = ann.open({ phase: () => 'gone' })
    await ours.session.load()
    await ours.commit()
    expect(await row(key)).toMatchObject({ session_invalidate_key: true })
  })
})

describe('a login on our side while they hold a request', () => {
  it('clears into another row, so that their late write reaches no session', async () => {
    const { key } = await begin()
    const theirs = await shared.original.open(key)
    const ann = visitor(key)
    await ann.visit((session) => {
      session.clear()
      session.set('user', 'ann')
    })
    expect(ann.token).not.toBe(key)
    expect(await theirs.lookup('user')).toBeNull()
    await expect(theirs.insert('late', 'x')).rejects.toMatchObject({ code: '23503' })
    await expect(theirs.getNewCookie()).rejects.toThrow(PatternMatchFailure)
    const there = await shared.original.open(ann.token)
    expect(await there.lookup('user')).toBe('ann')
    expect(await there.lookup('late')).toBeNull()
    expect(await holds(visitor(key))).toEqual({})
    expect(await rows()).toHaveLength(1)
  })

  it('rotates in the same row, as the original does, so that their request keeps its session', async () => {
    const { key, request } = await begin()
    const ann = visitor(key)
    await ann.visit((session) => session.rotate())
    expect(await row(ann.token ?? '')).toMatchObject({ id: request.id })
    expect(await row(key)).toBeUndefined()
    expect(await request.lookup('user')).toBe('nobody')
    await request.insert('user', 'still here')
    await expect(request.getNewCookie()).rejects.toThrow(PatternMatchFailure)
    expect(await holds(ann)).toEqual({ user: 'still here' })
  })

  it('completes a flag that they had left behind', async () => {
    const { key } = await begin()
    await shared.original.clearSession(key)
    const ann = await leftBehind(key)
    await ann.visit(async (session) => {
      session.rotate()
      await session.save()
    })
    const next = ann.token
    expect(await row(next ?? '')).toMatchObject({ session_invalidate_key: false })
    await holds(ann)
    expect(ann.token, 'one new key is enough').toBe(next)
  })

  it('is won by one of many rotations at once, here and there', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { key } = await begin()
      const browsers = Array.from({ length: 8 }, () => visitor(key))
      const open = browsers.map((browser) => browser.open())
      await Promise.all(open.map(({ session }) => session.load()))
      for (const { session } of open) session.rotate()
      const answers = await Promise.allSettled([
        ...open.map(({ commit }) => commit()),
        loginThere(key, 'ann'),
      ])
      const [left] = await rows()
      const brought = browsers.flatMap(({ token }) => (token === key ? [] : [token]))
      expect(brought.length).toBeLessThanOrEqual(1)
      // Their login finds the old key dead, and begins a session of its own.
      if (brought.length === 1) expect(left?.session_key).toBe(brought[0])
      else expect(answers.at(-1)).toEqual({ status: 'fulfilled', value: left?.session_key })
      expect(left?.session_key).not.toBe(key)
      await shared.pool.query('delete from wai_pg_sessions')
    }
  })

  it('ends there what is destroyed here', async () => {
    const { key } = await begin()
    const theirs = await shared.original.open(key)
    const ann = visitor(key)
    await ann.visit((session) => session.destroy())
    expect(ann.token).toBeNull()
    await expect(theirs.insert('late', 'x')).rejects.toMatchObject({ code: '23503' })
    expect(await rows()).toEqual([])
    const again = await shared.original.open(key)
    expect(await again.getNewCookie(), 'never adopted').not.toBe(key)
  })
})

describe('a row that goes while a request is under way', () => {
  it('is an answer here, and no failure of the database', async () => {
    const { key } = await begin()
    const [reader, writer, clearer] = [visitor(key), visitor(key), visitor(key)].map((browser) =>
      browser.open(),
    )
    for (const request of [reader, writer, clearer]) await request?.session.load()
    await elapse(7200)
    await shared.original.purgeOldSessions()
    expect(await rows()).toEqual([])
    expect(await reader?.session.get('user')).toBe('nobody')
    await reader?.commit()
    writer?.session.set('a', '1')
    await expect(writer?.commit()).rejects.toMatchObject({ code: 'ERR_SESSION_GONE' })
    clearer?.session.clear()
    await expect(clearer?.commit()).rejects.toMatchObject({ code: 'ERR_SESSION_GONE' })
    expect(await rows()).toEqual([])
  })
})

describe('purges of both sides', () => {
  it('delete the same sessions and keep the same ones, one beside the other', async () => {
    const old = await Promise.all(Array.from({ length: 30 }, begin))
    await elapse(7200)
    const kept = await Promise.all(Array.from({ length: 10 }, begin))
    const sessions = shared.sessions()
    const touching = kept.map(({ key }) => holds(visitor(key)))
    const [ours, more] = await Promise.all([
      sessions.purge({ batchSize: 3 }),
      shared.sessions().purge({ batchSize: 4 }),
      shared.original.purgeOldSessions(),
      ...touching,
    ])
    expect(ours + more).toBeLessThanOrEqual(old.length)
    expect((await rows()).map((one) => one.session_key).sort()).toEqual(
      kept.map(({ key }) => key).sort(),
    )
  })

  it('go on beside a session that another client has locked', async () => {
    const [held, other] = [await begin(), await begin()]
    await elapse(7200)
    const client = await shared.pool.connect()
    try {
      await client.query('begin')
      await client.query('select from wai_pg_sessions where id = $1 for update', [held.request.id])
      expect(await shared.sessions().purge()).toBe(1)
      expect(await row(other.key)).toBeUndefined()
      expect(await row(held.key)).toBeDefined()
    } finally {
      await client.query('rollback')
      client.release()
    }
  })
})

it('an original with another clock agrees on what it may not purge', async () => {
  const { key } = await begin()
  await elapse(3600)
  const early = new OriginalSide(shared.pool, { clock: () => Date.now() / 1000 - 60 })
  await early.purgeOldSessions()
  expect(await row(key)).toBeDefined()
})
