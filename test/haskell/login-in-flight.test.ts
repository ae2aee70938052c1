import { describe, expect, it } from 'vitest'
import { attackedLogins, attacks, plant } from './attacked-logins.ts'
import { holds, shareDatabase } from './shared-database.ts'

const shared = shareDatabase()
const { visitor, rows } = shared

describe('a login in flight on the other side', () => {
  // `npm run test:proof -- logins` tries 200 of each.
  it.each(attacks)('keeps its new key from 4 clients that %s with the old one', async (_, use) => {
    await attackedLogins(shared, 5, use)
  })
})

describe('a flag that was left behind', () => {
  it('is completed by our response once it has stood for the login time, with the data', async () => {
    const key = await plant(shared)
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
    const key = await plant(shared)
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
