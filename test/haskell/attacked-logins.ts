import { setTimeout as work } from 'node:timers/promises'
import type { Session } from 'pg-sessions'
import { expect } from 'vitest'
import { Visitor } from '../support/each-store-visitor.ts'
import { holds, type SharedDatabase, type Texts } from './shared-database.ts'

/*
 * A login on the other side: `clearSession` sets the flag, the handler works for some milliseconds, and its
 * response brings the new key. Meanwhile others show us the old key, which an attacker may have planted.
 */

/** What an attacker does with the session of the key that they have planted. */
type Use = (session: Session<Texts>) => unknown

/** A session on the other side, whose key the victim and the attackers hold. */
export async function plant(shared: SharedDatabase): Promise<string> {
  const request = await shared.original.open(null)
  await request.insert('theme', 'dark')
  return request.getNewCookie()
}

async function logIn(shared: SharedDatabase, key: string): Promise<string> {
  const request = await shared.original.open(key)
  await shared.original.clearSession(key)
  await work(2)
  await request.insert('user', 'ann')
  await work(3)
  return request.getNewCookie()
}

/** Four clients that show the key again and again until the login is over. Gives the keys they were sent. */
async function attack(
  shared: SharedDatabase,
  key: string,
  use: Use,
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

/** Logs in so many times while four clients use the old key, which must get them nothing. */
export async function attackedLogins(
  shared: SharedDatabase,
  count: number,
  use: Use,
): Promise<void> {
  for (let round = 0; round < count; round += 1) {
    const key = await plant(shared)
    const login = logIn(shared, key)
    const stolen = await attack(shared, key, use, login)
    const victim = shared.visitor(await login)
    expect(await holds(victim)).toEqual({ user: 'ann' })
    for (const other of stolen) {
      expect(await holds(shared.visitor(other)), 'a session of its own').not.toMatchObject({
        user: 'ann',
      })
    }
    expect(await shared.row(key)).toBeUndefined()
    await shared.pool.query('delete from wai_pg_sessions')
  }
}

const read: Use = (session) => session.get('user')

/** What a client does before the flag is its own session's business. */
const afterTheFlag =
  (use: Use): Use =>
  async (session) => {
    await session.load()
    if (session.data.theme === undefined) await use(session)
  }

/** What the attackers try. */
export const attacks: readonly (readonly [string, Use])[] = [
  ['read', read],
  ['save', afterTheFlag((session) => session.set('user', 'mallory'))],
  ['update', afterTheFlag((session) => session.update('user', () => 'mallory'))],
  ['take', afterTheFlag((session) => session.take('user'))],
  ['rotate', afterTheFlag((session) => session.rotate())],
  ['destroy', afterTheFlag((session) => session.destroy())],
  [
    'clear',
    afterTheFlag((session) => {
      session.clear()
      session.set('user', 'mallory')
    }),
  ],
]
