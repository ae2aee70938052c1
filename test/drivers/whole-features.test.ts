import { randomBytes } from 'node:crypto'
import { createSessions, type Sessions } from 'pg-sessions'
import { adminPage } from 'pg-sessions/admin'
import { betterAuthStorage } from 'pg-sessions/better-auth'
import { describe, expect, test } from 'vitest'
import { eachDriver } from '../support/each-driver.ts'

/*
 * What stands on operations of its own beside the store's contract: each of its statements runs on every driver.
 */

const MANY = 20

async function signIn(sessions: Sessions, userId: string, tag: string): Promise<string> {
  const exchange = sessions.open(undefined)
  exchange.session.set('basket', ['honey'])
  await exchange.session.signIn(userId, { device: { label: 'Safari on iPhone' }, tags: [tag] })
  await exchange.commit()
  return exchange.session.id as string
}

describe.each(eachDriver)('with %s', (_, open) => {
  test('the admin page shows figures, finds sessions and shows one', async () => {
    await using opened = await open()
    const sessions = createSessions({ database: opened.driver, log: false })
    const id = await signIn(sessions, 'ann', 'tenant:7')
    const page = adminPage(sessions, { authorize: () => 'olga', showValue: () => true })
    const ask = async (query: string): Promise<string> => {
      const answer = await page(new Request(`https://shop.example/admin${query}`))
      expect(answer.status, query).toBe(200)
      return answer.text()
    }
    const overview = await ask('')
    expect(overview).toContain('<dt>Live</dt><dd>1</dd>')
    expect(overview).toContain('index session_pkey')
    const searches = { user: 'ann', session: id, device: 'safari on', tag: 'tenant:7' }
    for (const query of Object.entries(searches).map(([by, q]) => ({ by, q }))) {
      expect(await ask(`?${new URLSearchParams(query)}`), query.by).toContain(id)
    }
    expect(await ask('?newest')).toContain(id)
    expect(await ask(`?session=${id}`)).toContain('honey')
    await sessions.close()
  })

  test('a storage of better-auth loses no count, no field and no session', async () => {
    await using opened = await open()
    const secret = randomBytes(24).toString('base64')
    const storage = betterAuthStorage({ database: opened.driver, secret, log: false })
    const counts = await Promise.all(
      Array.from({ length: MANY }, () => storage.increment('tries', 60)),
    )
    expect(counts.toSorted((one, other) => one - other)).toEqual(
      Array.from({ length: MANY }, (_, n) => n + 1),
    )
    await storage.set('once', 'value', 60)
    const taken = await Promise.all(
      Array.from({ length: MANY }, () => storage.getAndDelete('once')),
    )
    expect(taken.filter((value) => value !== null)).toEqual(['value'])
    const expiresAt = Date.now() + 60_000
    const tokens = Array.from({ length: MANY }, (_, n) => `token ${n}`)
    const session = (token: string) =>
      JSON.stringify({ session: { token, userId: 'ann', expiresAt }, user: { id: 'ann' } })
    await Promise.all(tokens.map((token) => storage.set(token, session(token), 60)))
    const listed = JSON.parse((await storage.get('active-sessions-ann')) ?? '[]')
    expect(listed.map(({ token }: { token: string }) => token).toSorted()).toEqual(
      tokens.toSorted(),
    )
    await storage.close()
  })

  test('of many sign-ins at once, as many as the cap allows stay', async () => {
    await using opened = await open()
    const sessions = createSessions({
      database: opened.driver,
      maxPerUser: { count: 3, beyond: 'end-oldest' },
      log: false,
    })
    await Promise.all(Array.from({ length: MANY }, () => signIn(sessions, 'ann', 'a')))
    expect(await sessions.listByUser('ann')).toHaveLength(3)
    await sessions.close()
  })

  test('sealed values move to another key', async () => {
    await using opened = await open()
    const [old, current] = [randomBytes(32), randomBytes(32)]
    const withKeys = (keys: Uint8Array[]): Sessions =>
      createSessions({ database: opened.driver, seal: { keys: keys as never }, log: false })
    const before = withKeys([old])
    const exchange = before.open(undefined)
    exchange.session.set('address', 'Elm Street 9')
    await exchange.commit()
    const cookie = exchange.head.setCookies[0]?.split(';')[0]
    await before.close()

    const moving = withKeys([current, old])
    await moving.reseal()
    await moving.close()
    const after = withKeys([current])
    expect(await after.open(cookie).session.get('address')).toBe('Elm Street 9')
    await after.close()
  })
})
