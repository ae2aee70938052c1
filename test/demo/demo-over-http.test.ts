import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { type DemoProcess, startDemo } from './demo-process.ts'
import { Visitor } from './visitor.ts'

describe('the demo over HTTP', () => {
  const neighbour = createServer()
  let takenPort: number
  let database: TestDatabase
  let demo: DemoProcess

  beforeAll(async () => {
    neighbour.listen(0, '127.0.0.1')
    await once(neighbour, 'listening')
    takenPort = (neighbour.address() as AddressInfo).port
    database = await createTestDatabase()
    demo = await startDemo({ args: ['--port', `${takenPort}`], databaseUrl: database.url })
  })

  afterAll(async () => {
    expect(await demo?.stop()).toBe(0)
    await database?.drop()
    neighbour.close()
  })

  const signedIn = async (name: string): Promise<Visitor> => {
    const visitor = new Visitor(demo.url)
    await visitor.post('/sign-in', { name })
    return visitor
  }

  test('serves on the next free port when the wanted one is taken', () => {
    expect(Number(new URL(demo.url).port)).toBeGreaterThan(takenPort)
  })

  test('gives a visitor without data no cookie, and keeps no row for them', async () => {
    const { answer, page } = await new Visitor(demo.url).get()
    expect(answer.status).toBe(200)
    expect(answer.headers.getSetCookie()).toEqual([])
    expect(page).toContain('no row in the database')
  })

  test('signs in with an HttpOnly cookie that ends with the browser', async () => {
    const { answer, page } = await new Visitor(demo.url).post('/sign-in', { name: 'ann' })
    expect(answer.status).toBe(303)
    expect(answer.headers.get('set-cookie')).toMatch(/^demo-id=[^;]+; Path=\/; HttpOnly/)
    expect(answer.headers.get('set-cookie')).toContain('SameSite=Lax')
    expect(answer.headers.get('set-cookie')).not.toContain('Max-Age')
    expect(page).toContain('Signed in as <span class="name">ann</span>')
  })

  test('keeps the cookie over the end of the browser for who wants to be remembered', async () => {
    const form = { name: 'mia', remember: 'yes' }
    const { answer, page } = await new Visitor(demo.url).post('/sign-in', form)
    expect(answer.headers.get('set-cookie')).toMatch(/Max-Age=77[67]\d{4}/)
    expect(page).toContain('>30 days<')
    expect(page).toContain('>90 days<')
  })

  test('shows a message once', async () => {
    const visitor = new Visitor(demo.url)
    const { page } = await visitor.post('/sign-in', { name: 'tom' })
    expect(page).toContain('Welcome, tom.')
    expect((await visitor.get()).page).not.toContain('Welcome, tom.')
  })

  test('asks again for a name that is none', async () => {
    for (const name of ['', '   ', 'x'.repeat(41), 'a\0b']) {
      const { page } = await new Visitor(demo.url).post('/sign-in', { name })
      expect(page).toContain('Please give a name')
      expect(page).not.toContain('Signed in as')
    }
  })

  test('counts every click of many at once, and brings the basket along at sign-in', async () => {
    const visitor = new Visitor(demo.url)
    await visitor.post('/basket/mug/add')
    await Promise.all(Array.from({ length: 20 }, () => visitor.post('/basket/coffee/add')))
    const { page } = await visitor.post('/sign-in', { name: 'max' })
    expect(page).toContain('data-good="mug">1<')
    expect(page).toContain('data-good="coffee">20<')
  })

  test('counts every one of 50 concurrent clicks with update, and loses some with get and set', async () => {
    const { page } = await (await signedIn('ida')).post('/clicks')
    expect(page).toContain('data-counted="update">50 of 50<')
    const [, counted] = /data-counted="set">(\d+) of 50</.exec(page) ?? []
    expect(Number(counted)).toBeGreaterThan(0)
    expect(Number(counted)).toBeLessThan(50)
  })

  test('names the statements in words', async () => {
    const { page } = await (await signedIn('uma')).post('/rotate')
    expect(page).toContain('<dd>read the session <em>')
    expect(page).toContain('<dd>replace the token and save changes <em>')
  })

  test('orders a basket once, however often the button is pressed', async () => {
    const visitor = await signedIn('eva')
    await visitor.post('/basket/bread/add')
    const visits = await Promise.all(
      Array.from({ length: 20 }, () => visitor.post('/basket/order')),
    )
    const ordered = visits.filter(({ answer }) => answer.headers.get('location') === '/')
    expect(ordered).toHaveLength(1)
    expect((await visitor.get()).page).toContain('data-good="bread">0<')
  })

  test('rotates the token: another hash, the same basket, and the old token is dead', async () => {
    const visitor = await signedIn('leo')
    const before = (await visitor.post('/basket/honey/add')).page
    const stolen = new Visitor(demo.url)
    stolen.cookie = visitor.cookie
    const after = (await visitor.post('/rotate')).page
    expect(hashIn(after)).not.toBe(hashIn(before))
    expect(after).toContain(`<del>${hashIn(before)}…</del> → <mark>`)
    expect(after).toContain('data-good="honey">1<')
    expect((await stolen.get()).page).toContain('Your session has ended')
  })

  test('leaves the cookie to a tab that rotated it, when another tab still shows the earlier one', async () => {
    const visitor = await signedIn('nia')
    const otherTab = new Visitor(demo.url)
    otherTab.cookie = visitor.cookie
    await visitor.post('/rotate')
    const { answer } = await otherTab.get()
    expect(answer.headers.getSetCookie()).toEqual([])
    expect((await visitor.get()).page).toContain('nia')
  })

  test('shows the hash before and after a sign-in, once', async () => {
    const visitor = new Visitor(demo.url)
    const before = hashIn((await visitor.post('/basket/mug/add')).page)
    const { page } = await visitor.post('/sign-in', { name: 'gus' })
    expect(page).toContain(`<del>${before}…</del> → <mark>`)
    expect((await visitor.get()).page).not.toContain('<del>')
  })

  test('expires a session at once, and says that it expired', async () => {
    const visitor = await signedIn('zoe')
    const stolen = new Visitor(demo.url)
    stolen.cookie = visitor.cookie
    const { page } = await visitor.post('/expire')
    expect(page).toContain('Your session has expired')
    expect(page).toContain('<h2 id="account-title">Sign in</h2>')
    expect(visitor.cookie).toBeUndefined()
    expect((await stolen.get()).page).toContain('<h2 id="account-title">Sign in</h2>')
  })

  test('refuses a slow save after the sign-out, and says why', async () => {
    const visitor = await signedIn('kim')
    const { answer, page } = await visitor.post('/slow-save')
    expect(answer.status).toBe(409)
    expect(page).toContain('The late save was refused')
    expect(page).toContain('SessionGoneError')
    expect((await visitor.get()).page).toContain('data-good="coffee">0<')
  })

  test('changes an address only after a recent sign-in', async () => {
    const visitor = await signedIn('amy')
    expect((await visitor.post('/address', { address: '1 Old Lane' })).page).toContain('1 Old Lane')
    await visitor.post('/age-sign-in')
    const { answer, page } = await visitor.post('/address', { address: '2 New Lane' })
    expect(answer.status).toBe(403)
    expect(page).toContain('Sign in again first')
    expect((await visitor.get()).page).toContain('1 Old Lane')
  })

  test('lets the administrator alone act as a user, and go back', async () => {
    expect((await (await signedIn('joe')).post('/act-as', { user: 'ann' })).answer.status).toBe(403)
    const [admin, ann] = [await signedIn('admin'), await signedIn('ann')]
    await admin.post('/basket/mug/add')
    const { page } = await admin.post('/act-as', { user: 'ann' })
    expect(page).toContain('<strong>admin</strong> acts as <strong>ann</strong>')
    expect(page).toContain('data-good="mug">0<')
    expect((await ann.get()).page).toContain('by support')
    expect((await admin.get('/admin')).answer.status).toBe(403)
    expect((await admin.post('/act-as', { user: 'eve' })).answer.status).toBe(403)
    await admin.post('/sign-in-again')
    expect((await admin.post('/address', { address: 'x' })).answer.status).toBe(403)
    const back = (await admin.post('/stop-acting')).page
    expect(back).toContain('Signed in as <span class="name">admin</span>')
    expect(back).toContain('data-good="mug">1<')
    expect((await ann.get()).page).not.toContain('by support')
  })

  test('ends the acting session when the user signs it out', async () => {
    const [admin, ann] = [await signedIn('admin'), await signedIn('ann')]
    await admin.post('/act-as', { user: 'ann' })
    await ann.post('/devices/sign-out-others')
    expect((await admin.get()).page).toContain('Your session has ended')
  })

  test('clears the session: no data, no user, another session', async () => {
    const visitor = await signedIn('ida')
    await visitor.post('/basket/honey/add')
    const { page } = await visitor.post('/clear')
    expect(page).toContain('data-good="honey">0<')
    expect(page).toContain('<h2 id="account-title">Sign in</h2>')
  })

  test('tells who was signed out elsewhere at their next click, and does nothing for them', async () => {
    const [here, there] = [await signedIn('kim'), await signedIn('kim')]
    expect((await here.post('/devices/sign-out-others')).page).toContain('1 device.')
    const { answer, page } = await there.post('/basket/coffee/add')
    expect(answer.headers.get('location')).toBe('/?ended')
    expect(page).toContain('Your session has ended')
    expect(page).toContain('data-good="coffee">0<')
    expect(there.cookie).toBeUndefined()
    expect((await there.get()).page).not.toContain('Your session has ended')
  })

  test('lets no user end the session of another', async () => {
    const victim = await signedIn('liz')
    const id = /<dt>id<\/dt>\s*<dd>([0-9a-f-]{36})</.exec((await victim.get()).page)?.[1]
    expect(id).toBeDefined()
    await (await signedIn('joe')).post(`/devices/${id}/sign-out`)
    expect((await victim.get()).page).toContain('Signed in as')
  })

  test("refuses a form of another site's page, and one of another port", async () => {
    const { cookie } = await signedIn('pat')
    for (const Origin of ['http://127.0.0.1:1', 'null', 'https://evil.example']) {
      const headers = { Cookie: cookie as string, Origin }
      const answer = await fetch(new URL('/sign-out', demo.url), { method: 'POST', headers })
      expect(answer.status).toBe(403)
    }
    const stillThere = new Visitor(demo.url)
    stillThere.cookie = cookie
    expect((await stillThere.get()).page).toContain('Signed in as')
  })

  test('lets no page run scripts or load anything but its own', async () => {
    for (const path of ['/', '/style.css', '/nowhere']) {
      const answer = await fetch(new URL(path, demo.url))
      const policy = answer.headers.get('content-security-policy')
      expect(policy).toContain("default-src 'none'")
      expect(policy).not.toContain('unsafe')
    }
  })

  test('writes a name as text, whatever it holds', async () => {
    const { page } = await new Visitor(demo.url).post('/sign-in', {
      name: `"><b onclick='x'>&amp;`,
    })
    expect(page).toContain('&quot;&gt;&lt;b onclick=&#39;x&#39;&gt;&amp;amp;')
    expect(page).not.toContain('<b onclick')
  })

  test('shows the token nowhere', async () => {
    const visitor = await signedIn('ben')
    const token = visitor.cookie?.replace('demo-id=', '') as string
    expect((await visitor.get()).page).not.toContain(token)
    expect(demo.output).not.toContain(token)
  })

  test('ends cleanly though a client holds a connection open', async () => {
    const other = await startDemo({ args: ['--port', '0'], databaseUrl: database.url })
    const { port, hostname } = new URL(other.url)
    const silent = connect(Number(port), hostname)
    await once(silent, 'connect')
    silent.on('error', () => {}) // It is cut in the end.
    expect(await other.stop()).toBe(0)
  })

  test('says where it already runs, when it is started twice on the same data', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pg-sessions-demo-'))
    const args = ['--port', '0', '--data', join(folder, 'data')]
    const first = await startDemo({ args })
    try {
      await expect(startDemo({ args })).rejects.toThrow(`already running at  ${first.url}`)
    } finally {
      await first.stop()
      await rm(folder, { recursive: true, force: true })
    }
  }, 60_000)

  test('says what it takes when it is started wrongly', async () => {
    const start = startDemo({ args: ['--prot', '1'], databaseUrl: database.url })
    await expect(start).rejects.toThrow(/Unknown option '--prot'[\s\S]*Usage: npm run demo/)
  })
})

function hashIn(page: string): string | undefined {
  return /<mark>([0-9a-f]{12})<\/mark>/.exec(page)?.[1]
}
