import { randomBytes } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import pg from 'pg'
import { createSessions, MemoryStore, type SessionEvents, type Sessions } from 'pg-sessions'
import { type AdminPageOptions, adminPage } from 'pg-sessions/admin'
import { fromPg } from 'pg-sessions/pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

const HOSTILE = `"><script>alert(1)</script><img src=x onerror=alert(2)>'&\u202E`
const AUTHORIZED = { authorize: () => 'olga' }

let database: TestDatabase
let pool: pg.Pool
let sessions: Sessions
const lines: { level: string; message: string; facts: object }[] = []

beforeAll(async () => {
  database = await createTestDatabase()
  pool = new pg.Pool({ connectionString: database.url })
  const log = Object.fromEntries(
    ['debug', 'info', 'warn', 'error'].map((level) => [
      level,
      (facts: object, message: string) => lines.push({ level, facts, message }),
    ]),
  ) as never
  sessions = createSessions({ database: fromPg(pool), log })
  // Each test makes its own page of them.
  setMaxListeners(0, sessions.administration().closing)
})
afterAll(async () => {
  await sessions.close()
  await pool.end()
  await database.drop()
})

/** Signs a user in, and gives the public id of the session. */
async function signIn(
  userId: string,
  { of = sessions, label = 'Firefox', data = {} as Record<string, unknown> } = {},
): Promise<string> {
  const exchange = of.open(null)
  for (const [key, value] of Object.entries(data)) exchange.session.set(key, value)
  await exchange.session.signIn(userId, { device: { label } })
  await exchange.session.save()
  return exchange.session.id as string
}

/** A browser that shows the admin page, with its cookie. */
class AdminBrowser {
  readonly #page: (request: Request) => Promise<Response>
  cookie = ''
  headers: Record<string, string> = {
    'sec-fetch-site': 'same-origin',
    origin: 'https://shop.example',
  }

  constructor(options: AdminPageOptions = AUTHORIZED, of: Sessions = sessions) {
    this.#page = adminPage(of, options)
  }

  async get(query = ''): Promise<{ answer: Response; text: string }> {
    return this.#ask(
      new Request(`https://shop.example/admin${query}`, { headers: { cookie: this.cookie } }),
    )
  }

  async post(
    form: Record<string, string>,
    body?: string | URLSearchParams,
  ): Promise<{ answer: Response; text: string }> {
    return this.#ask(
      new Request('https://shop.example/admin', {
        method: 'POST',
        headers: { cookie: this.cookie, ...this.headers },
        body: body ?? new URLSearchParams(form),
      }),
    )
  }

  /** Opens the page that asks, and gives what its form holds. */
  async confirm(query: string): Promise<Record<string, string>> {
    const { answer, text } = await this.get(query)
    for (const line of answer.headers.getSetCookie()) this.cookie = line.split(';')[0] ?? ''
    const fields = text.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g)
    return Object.fromEntries(
      [...fields].map(([, name, value]) => [name, value?.replaceAll('&#39;', "'")]),
    )
  }

  async #ask(request: Request): Promise<{ answer: Response; text: string }> {
    const answer = await this.#page(request)
    return { answer, text: await answer.clone().text() }
  }
}

function heard<Name extends keyof SessionEvents>(name: Name): SessionEvents[Name][] {
  const events: SessionEvents[Name][] = []
  sessions.on(name, (event) => events.push(event))
  return events
}

describe('who may see the page', () => {
  test('it is refused without a function that authorizes', () => {
    expect(() => adminPage(sessions, {} as never)).toThrow('adminPage needs authorize')
    expect(() => adminPage(sessions, { authorize: true } as never)).toThrow('authorize must be')
    expect(() => adminPage(new MemoryStore() as never, AUTHORIZED)).toThrow('createSessions')
  })

  test.each([
    ['false', () => false as const],
    ['null', () => null],
    ['nothing', () => undefined],
    ['an empty name', () => ''],
    ['a blank name', () => ' '],
    ['true, with which no name could be logged', () => true as never],
    ['a promise of false', async () => false as const],
    [
      'an error',
      () => {
        throw new Error('secret-detail')
      },
    ],
    ['a promise that fails', () => Promise.reject(new Error('secret-detail'))],
  ])('%s refuses GET and POST with 403 and no page', async (_, authorize) => {
    const id = await signIn('ann')
    const browser = new AdminBrowser({ authorize })
    for (const { answer, text } of [
      await browser.get(),
      await browser.post({ action: 'end-session', target: id }),
    ]) {
      expect(answer.status).toBe(403)
      expect(text).toBe('You may not see this page.\n')
    }
    expect(await sessions.listByUser('ann')).toHaveLength(1)
    await sessions.destroyByUser('ann')
  })

  test('a response in place of a name is sent', async () => {
    const redirect = new Response(null, { status: 302, headers: { location: '/login' } })
    const { answer } = await new AdminBrowser({ authorize: () => redirect }).get()
    expect(answer.headers.get('location')).toBe('/login')
  })
})

describe('what the page shows', () => {
  test('figures of a small store are exact, and no markup of anyone else is in the page', async () => {
    await signIn(HOSTILE, { label: HOSTILE, data: { [HOSTILE]: HOSTILE } })
    const browser = new AdminBrowser({ authorize: () => HOSTILE })
    for (const query of ['', '?newest', `?${new URLSearchParams({ by: 'user', q: HOSTILE })}`]) {
      const { answer, text } = await browser.get(query)
      expect(answer.status).toBe(200)
      expect(text).not.toMatch(/<script|<img|\u202E/)
      expect(text).toContain('[U+202E]')
    }
    const { text } = await browser.get()
    expect(text).toContain('<dt>Live</dt><dd>1</dd>')
    expect(text).toContain('index session_pkey')
    await sessions.destroyByUser(HOSTILE)
  })

  test('a strict policy lets no script run and one style apply', async () => {
    const { answer, text } = await new AdminBrowser().get()
    const policy = answer.headers.get('content-security-policy')
    expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'/)
    expect(policy).not.toContain('unsafe')
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(text).not.toMatch(/ style=| on\w+=/)
  })

  test('a session is found by its user, its id and the label of its device', async () => {
    const id = await signIn('bob', { label: 'Safari on iPhone' })
    const browser = new AdminBrowser()
    for (const [by, q] of [
      ['user', 'bob'],
      ['session', id.toUpperCase()],
      ['device', 'safari on'],
    ]) {
      const { text } = await browser.get(`?${new URLSearchParams({ by, q } as never)}`)
      expect(text).toContain(id)
    }
    for (const [by, q] of [
      ['user', 'bo'],
      ['user', '\0'],
      ['session', 'bob'],
      ['device', 'opera'],
      ['other', 'bob'],
    ]) {
      const { text } = await browser.get(`?${new URLSearchParams({ by, q } as never)}`)
      expect(text).not.toContain(`<code>${id}`)
    }
    await sessions.destroyByUser('bob')
  })

  test('a session shows its keys, and only those values that the application allows, which is logged', async () => {
    const views = heard('adminViewed')
    const id = await signIn('cleo', {
      data: { basket: ['honey'], secret: 'swordfish', large: 'x'.repeat(9000) },
    })
    const closed = await new AdminBrowser().get(`?session=${id}`)
    expect(closed.text).toContain('<code>secret</code>')
    expect(closed.text).not.toContain('honey')
    expect(views).toEqual([])
    const showValue = ({ key }: { key: string }): boolean => {
      if (key === 'secret') throw new Error('not that one')
      return true
    }
    const open = await new AdminBrowser({ ...AUTHORIZED, showValue }).get(`?session=${id}`)
    expect(open.text).toContain('honey')
    expect(open.text).not.toContain('swordfish')
    expect(open.text).not.toContain('xxxx')
    expect(views).toEqual([{ actor: 'olga', sessionId: id, userId: 'cleo', keys: ['basket'] }])
    await sessions.destroyByUser('cleo')
  })

  test('a value that is encrypted in the database is shown in plain text where it may be shown', async () => {
    const seal = { keys: [randomBytes(32)] }
    const sealed = createSessions({ database: fromPg(pool), seal, log: false })
    const id = await signIn('finn', { of: sealed, data: { basket: ['honey'] } })
    const options = { ...AUTHORIZED, showValue: () => true }
    expect((await new AdminBrowser(options, sealed).get(`?session=${id}`)).text).toContain('honey')
    expect((await new AdminBrowser(options).get(`?session=${id}`)).text).not.toContain('honey')
    await sealed.destroyByUser('finn')
    await sealed.close()
  })

  test('an unknown session, a page of another kind and another method are answered as such', async () => {
    const browser = new AdminBrowser()
    expect((await browser.get('?session=x')).answer.status).toBe(404)
    expect((await browser.get('?by=shoe&q=1')).answer.status).toBe(404)
    const page = adminPage(sessions, AUTHORIZED)
    const put = await page(new Request('https://shop.example/admin', { method: 'PUT' }))
    expect(put.status).toBe(405)
  })

  test('without the database it still shows what this process has seen, and says what is wrong', async () => {
    const down = new pg.Pool({ host: '127.0.0.1', port: 1 })
    const unreachable = createSessions({ database: fromPg(down), log: false })
    const { answer, text } = await new AdminBrowser(AUTHORIZED, unreachable).get()
    expect(answer.status).toBe(503)
    expect(text).toContain('class="warning"')
    expect(text).toContain('Calls of this process')
    await unreachable.close()
    await down.end()
  })

  test('a store that cannot be looked at says so, and still finds and ends sessions', async () => {
    const memory = createSessions({ store: new MemoryStore(), log: false })
    const id = await signIn('dora', { of: memory })
    const browser = new AdminBrowser(AUTHORIZED, memory)
    expect((await browser.get()).text).toContain('The store &#39;memory&#39; shows no figures')
    expect((await browser.get('?newest')).text).toContain('shows no figures')
    expect((await browser.get('?by=user&q=dora')).text).toContain(id)
    const form = await browser.confirm(`?end-session=${id}`)
    expect((await browser.post(form)).answer.status).toBe(303)
    expect(await memory.listByUser('dora')).toEqual([])
    await memory.close()
  })
})

describe('what an administrator does', () => {
  test('ends one session after a confirmation, and says who it was', async () => {
    const ended = heard('adminEnded')
    const [id, other] = [await signIn('emil'), await signIn('emil')]
    const browser = new AdminBrowser()
    const form = await browser.confirm(`?end-session=${id}`)
    expect(await sessions.listByUser('emil')).toHaveLength(2)
    const { answer } = await browser.post(form)
    expect(answer.status).toBe(303)
    expect(answer.headers.get('location')).toBe(`?session=${id}&ended=1`)
    expect((await sessions.listByUser('emil')).map((session) => session.id)).toEqual([other])
    expect(ended).toEqual([{ actor: 'olga', sessionId: id, userId: 'emil', tag: null, ended: 1 }])
    expect(lines).toContainEqual({
      level: 'info',
      facts: ended[0],
      message: 'an administrator ended sessions',
    })
    expect((await browser.get(`?session=${id}&ended=1`)).text).toContain('One session has ended.')
    await sessions.destroyByUser('emil')
  })

  test('ends all sessions of a user, whose name may hold anything', async () => {
    const user = HOSTILE
    await signIn(user)
    await signIn(user)
    const browser = new AdminBrowser()
    const form = await browser.confirm(`?${new URLSearchParams({ 'end-user': user })}`)
    const { answer } = await browser.post(form)
    expect(answer.headers.get('location')).toContain('ended=2')
    expect(await sessions.listByUser(user)).toEqual([])
  })

  test('finds and ends all sessions with a tag, of every user', async () => {
    const ended = heard('adminEnded')
    const tag = `tenant:7 ${HOSTILE}`
    for (const user of ['hal', 'ida']) {
      const { session } = sessions.open(null)
      await session.signIn(user, { tags: [tag] })
    }
    await signIn('hal')
    const browser = new AdminBrowser()
    const found = await browser.get(`?${new URLSearchParams({ by: 'tag', q: tag })}`)
    expect(found.text).toContain('>hal<')
    expect(found.text).toContain('>ida<')
    const form = await browser.confirm(`?${new URLSearchParams({ 'end-tag': tag })}`)
    const { answer } = await browser.post(form)
    expect(answer.headers.get('location')).toContain('ended=2')
    expect(ended).toEqual([{ actor: 'olga', sessionId: null, userId: null, tag, ended: 2 }])
    expect(await sessions.listByUser('hal')).toHaveLength(1)
    await sessions.destroyByUser('hal')
  })

  test('does nothing by GET', async () => {
    const id = await signIn('fay')
    const browser = new AdminBrowser()
    const { token } = await browser.confirm(`?end-session=${id}`)
    await browser.get(
      `?${new URLSearchParams({ action: 'end-session', target: id, token: token ?? '' })}`,
    )
    expect(await sessions.listByUser('fay')).toHaveLength(1)
    await sessions.destroyByUser('fay')
  })

  test('is refused where the form is not of this page, this browser, this administrator and this action', async () => {
    const [id, other] = [await signIn('gil'), await signIn('gil')]
    const browser = new AdminBrowser()
    const form = await browser.confirm(`?end-session=${id}`)
    const refused = async (from: AdminBrowser, fields: Record<string, string>): Promise<void> => {
      expect((await from.post(fields)).answer.status).toBe(403)
    }
    const without = { action: form.action ?? '', target: id }
    await refused(browser, without)
    await refused(browser, { ...without, token: 'A'.repeat(43) })
    await refused(browser, { ...form, target: other })
    await refused(browser, { ...form, action: 'end-user', target: 'gil' })
    const stranger = new AdminBrowser()
    await refused(stranger, form)
    await stranger.confirm(`?end-session=${other}`)
    await refused(stranger, form)
    const colleague = new AdminBrowser({ authorize: () => 'otto' })
    colleague.cookie = browser.cookie
    await refused(colleague, form)
    const twice = new AdminBrowser()
    twice.cookie = `${browser.cookie}; __Host-pg-sessions-admin=${'A'.repeat(43)}`
    await refused(twice, form)
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
    ]) {
      const elsewhere = new AdminBrowser()
      Object.assign(elsewhere, { cookie: browser.cookie, headers })
      await refused(elsewhere, form)
    }
    expect(await sessions.listByUser('gil')).toHaveLength(2)
    expect((await browser.post(form)).answer.status).toBe(303)
    await sessions.destroyByUser('gil')
  })

  test('a form that is none, names nothing or is too long does nothing', async () => {
    const browser = new AdminBrowser()
    for (const body of [
      '{}',
      new URLSearchParams({ action: 'drop' }),
      new URLSearchParams({ action: 'end-user', target: '%' }),
      new URLSearchParams({ action: 'end-user', target: 'x'.repeat(20_000) }),
    ]) {
      expect((await browser.post({}, body)).answer.status).toBe(400)
    }
  })

  test('the key of forms is in a cookie that no script and no other site gets', async () => {
    const { answer } = await new AdminBrowser().get(`?end-user=ann`)
    expect(answer.headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^__Host-pg-sessions-admin=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
      ),
    ])
  })
})

test('nothing secret is in the log of it all', () => {
  expect(JSON.stringify(lines)).not.toMatch(/swordfish|honey/)
})
