import { setTimeout as work } from 'node:timers/promises'
import type { Session } from 'pg-sessions'
import { describe, expect, it } from 'vitest'
import { Visitor } from '../support/each-store-visitor.ts'
import { holds, shareDatabase, type Texts } from './shared-database.ts'

/**
 * A login on the other side: `clearSession` sets the flag, the handler works for some milliseconds, and its
 * response brings the new key. Meanwhile others show us the old key, which an attacker may have planted.
 */

const shared = shareDatabase()
const { visitor, row, rows } = shared

/** A session on the other side, whose key the victim and the attackers hold. */
async function plant(): Promise<string> {
  const request = await shared.original.open(null)
  await request.insert('theme', 'dark')
  return request.getNewCookie()
}

async function logIn(key: string): Promise<string> {
  const request = await shared.original.open(key)
  await shared.original.clearSession(key)
  await work(2)
  await request.insert('user', 'ann')
  await work(3)
  return request.getNewCookie()
}

/** Four clients that show the key again and again until the login is over. Gives the keys they were sent. */
async function attack(
  key: string,
  use: (session: Session<Texts>) => unknown,
  until: Promise<unknown>,
): Promise<string[]> {
  const sessions = shared.sessions()
  let isOver = false
  const stop = (): void => {
    isOver = true
  }
  until.then(stop, stop)
  const poll = async (): Promise<string[]> => {
    const sent: string[] = []
    while (!isOver) {
      const thief = new Visitor(sessions, key)
      await thief.visit(use).catch((error) => {
        if (error.code !== 'ERR_SESSION_GONE') throw error
      })
      if (thief.token !== null && thief.token !== key) sent.push(thief.token)
    }
    return sent
  }
  const stolen = (await Promise.all(Array.from({ length: 4 }, poll))).flat()
  await sessions.close()
  return stolen
}

async function attackedLogins(
  count: number,
  use: (session: Session<Texts>) => unknown,
): Promise<void> {
  for (let round = 0; round < count; round += 1) {
    const key = await plant()
    const login = logIn(key)
    const stolen = await attack(key, use, login)
    const victim = visitor(await login)
    expect(await holds(victim)).toEqual({ user: 'ann' })
    for (const other of stolen) {
      expect(await holds(visitor(other)), 'a session of its own').not.toMatchObject({ user: 'ann' })
    }
    expect(await row(key)).toBeUndefined()
    await shared.pool.query('delete from wai_pg_sessions')
  }
}

describe('a login in flight on the other side', () => {
  it('keeps its new key from 4 clients that read with the old one, 200 times of 200', async () => {
    await attackedLogins(200, (session) => session.get('user'))
  }, 120_000)

  it.each<[string, (session: Session<Texts>) => unknown]>([
    [
      'save',
      async (session) => {
        await session.load()
        session.set('user', 'mallory')
      },
    ],
    ['update', (session) => session.update('user', () => 'mallory')],
    ['take', (session) => session.take('user')],
    ['rotate', (session) => session.rotate()],
    ['destroy', (session) => session.destroy()],
    [
      'clear',
      (session) => {
        session.clear()
        session.set('user', 'mallory')
      },
    ],
  ])('is not disturbed by 4 clients that %s with the old key', async (_name, use) => {
    await attackedLogins(15, async (session) => {
      // What a client does before the flag is its own session's business.
      await session.load()
      if (session.data.theme === undefined) await use(session)
    })
  })
})

describe('a flag that was left behind', () => {
  it('is completed by our response once it has stood for the login time, with the data', async () => {
    const key = await plant()
    await shared.pool.query('update wai_pg_sessions set session_invalidate_key = true')
    const ann = visitor(key, { loginTime: '1s' })
    expect(await holds(ann)).toEqual({ theme: 'dark' })
    expect(ann.token, 'fresh').toBe(key)
    await expect(ann.visit((session) => session.set('late', 'x'))).rejects.toMatchObject({
      code: 'ERR_SESSION_GONE',
    })
    await expect.poll(async () => (await holds(ann)) && ann.token !== key).toBe(true)
    expect(await holds(ann)).toEqual({ theme: 'dark' })
    expect(await rows()).toMatchObject([{ session_key: ann.token, session_invalidate_key: false }])
  })

  it('counts as fresh again after another clearSession', async () => {
    const key = await plant()
    await shared.original.clearSession(key)
    const thief = visitor(key, { loginTime: '1ms' })
    await holds(thief)
    await shared.loginTimePasses()
    const request = await shared.original.open(key)
    await shared.original.clearSession(key)
    await request.insert('user', 'ann')
    await holds(thief)
    expect(thief.token).toBe(key)
    expect(await holds(visitor(await request.getNewCookie()))).toEqual({ user: 'ann' })
  })
})
