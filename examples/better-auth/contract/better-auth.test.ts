import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { createSessions } from 'pg-sessions'
import type { BetterAuthStorage } from 'pg-sessions/better-auth'
import { fromPg } from 'pg-sessions/pg'
import { type Application, FIELDS, pool, startApplication } from './application.ts'
import { Browser } from './browser.ts'

const password = 'correct horse battery staple'
let one: Application
let other: Application

before(async () => {
  one = await startApplication()
  other = await startApplication()
})

after(async () => {
  await Promise.all([one.close(), other.close()])
  await pool.end()
})

describe('better-auth on betterAuthStorage, in two processes', () => {
  it('signs up, in and out', async () => {
    const { email, browser } = await signUp()
    assert.equal(await userOf(browser), email)
    assert.equal(await userOf(browser, other), email)
    const stolen = browser.copy()
    await browser.ask(other, '/sign-out', {})
    assert.equal(await userOf(browser), null)
    assert.equal(await userOf(stolen), null)
    await signIn(browser, email)
    assert.equal(await userOf(browser, other), email)
    assert.equal(await userOf(stolen), null)
  })

  it('refuses a wrong password', async () => {
    const { email } = await signUp()
    const browser = new Browser()
    const { status } = await browser.ask(one, '/sign-in/email', { email, password: 'wrong one' })
    assert.equal(status, 401)
    assert.equal(await userOf(browser), null)
  })

  it('lists every session of concurrent sign-ins, and revokes all but the one that asks', async () => {
    const { email, browser } = await signUp()
    const browsers = await signInOften(email, 20)
    const { content } = await browser.ask(one, '/list-sessions')
    const listed = (content as unknown as { token: string }[]).map(({ token }) => token)
    assert.deepEqual(listed.sort(), [browser, ...browsers].map(({ token }) => token).sort())
    const { status } = await browser.ask(other, '/revoke-other-sessions', {})
    assert.equal(status, 200)
    assert.deepEqual(
      new Set(await Promise.all(browsers.map((each) => userOf(each)))),
      new Set([null]),
    )
    assert.equal(await userOf(browser), email)
  })

  it('keeps each of 50 concurrent updates of a session', async () => {
    const { email, browser } = await signUp()
    const answers = await Promise.all(
      FIELDS.map((field, index) =>
        browser.ask(index % 2 === 0 ? one : other, '/update-session', { [field]: `of ${field}` }),
      ),
    )
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
    const { content } = await browser.ask(one, '/get-session')
    const { session } = content as { session: Record<string, unknown> }
    for (const field of FIELDS) assert.equal(session[field], `of ${field}`)
    assert.equal(await userOf(browser), email)
    const { content: listed } = await browser.ask(one, '/list-sessions')
    assert.equal((listed as unknown as unknown[]).length, 1)
  })

  it('keeps the session signed out that an update still holds', async () => {
    const { browser } = await signUp()
    const gate = new Gate()
    const slow = await startApplication({}, (storage) => gate.before(storage))
    const stolen = browser.copy()
    gate.close()
    const updating = browser.ask(slow, '/update-session', { field0: 'late' })
    await gate.reached
    await stolen.ask(one, '/sign-out', {})
    gate.open()
    await updating
    assert.equal(await userOf(browser), null)
    await slow.close()
  })

  it('ends sessions of a user who is deleted', async () => {
    const { email, browser } = await signUp()
    const browsers = await signInOften(email, 3)
    const { status } = await browser.ask(one, '/delete-user', { password })
    assert.equal(status, 200)
    for (const each of [browser, ...browsers]) assert.equal(await userOf(each, other), null)
  })

  it('limits a rate over two processes together', async () => {
    const rateLimit = {
      enabled: true,
      customRules: { '/sign-in/email': { window: 60, max: 5 } },
    } as const
    const limited = [await startApplication({ rateLimit }), await startApplication({ rateLimit })]
    const { email } = await signUp()
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        new Browser().ask(limited[index % 2] as Application, '/sign-in/email', { email, password }),
      ),
    )
    const allowed = answers.filter(({ status }) => status === 200)
    const refused = answers.filter(({ status }) => status === 429)
    assert.deepEqual([allowed.length, refused.length], [5, 15])
    await Promise.all(limited.map((application) => application.close()))
  })

  it('takes a token of a password reset once', async () => {
    let token = ''
    const resetting = await startApplication({
      emailAndPassword: {
        enabled: true,
        async sendResetPassword(reset) {
          token = reset.token
        },
      },
    })
    const { email } = await signUp(resetting)
    await new Browser().ask(resetting, '/request-password-reset', { email, redirectTo: '/' })
    assert.notEqual(token, '')
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        new Browser().ask(resetting, '/reset-password', { token, newPassword: randomUUID() }),
      ),
    )
    assert.equal(answers.filter(({ status }) => status === 200).length, 1)
    await resetting.close()
  })

  it('stores no token in clear', async () => {
    const { browser } = await signUp()
    const { rows } = await pool.query(
      `select s::text || d::text as row from sessions.better_auth as s
        join sessions.better_auth_data as d on d.session_id = s.id`,
    )
    const dump = JSON.stringify(rows)
    assert.equal(browser.token.length, 32)
    assert.ok(dump.length > 100)
    assert.ok(!dump.includes(browser.token))
    assert.ok(!dump.includes(Buffer.from(browser.token).toString('hex')))
  })

  it('ends sessions in a transaction of the application', async () => {
    const { id, email, browser } = await signUp()
    const sessions = createSessions({
      database: fromPg(pool),
      tables: { session: 'better_auth' },
      log: false,
    })
    const client = await pool.connect()
    await client.query('begin')
    await client.query(`update "user" set name = 'Changed' where id = $1`, [id])
    await sessions.in(client).destroyByUser(id)
    assert.equal(await userOf(browser), email)
    await client.query('commit')
    client.release()
    assert.equal(await userOf(browser), null)
    await sessions.close()
  })
})

/** Holds writes back, in one process. */
class Gate {
  reached: Promise<void> = Promise.resolve()
  #isReached = (): void => {}
  #opened: Promise<void> = Promise.resolve()
  #open = (): void => {}

  close(): void {
    this.reached = new Promise((resolve) => {
      this.#isReached = resolve
    })
    this.#opened = new Promise((resolve) => {
      this.#open = resolve
    })
  }

  open(): void {
    this.#open()
  }

  before(storage: BetterAuthStorage): BetterAuthStorage {
    return {
      ...storage,
      set: async (...write) => {
        this.#isReached()
        await this.#opened
        await storage.set(...write)
      },
    }
  }
}

async function signUp(
  application: Application = one,
): Promise<{ readonly id: string; readonly email: string; readonly browser: Browser }> {
  const email = `${randomUUID()}@example.com`
  const browser = new Browser()
  const answer = await browser.ask(application, '/sign-up/email', { email, password, name: 'Ann' })
  assert.equal(answer.status, 200, JSON.stringify(answer))
  const { id } = (answer.content as { user: { id: string } }).user
  return { id, email, browser }
}

async function signIn(
  browser: Browser,
  email: string,
  application: Application = one,
): Promise<void> {
  const answer = await browser.ask(application, '/sign-in/email', { email, password })
  assert.equal(answer.status, 200, JSON.stringify(answer))
}

function signInOften(email: string, times: number): Promise<Browser[]> {
  return Promise.all(
    Array.from({ length: times }, async (_, index) => {
      const browser = new Browser()
      await signIn(browser, email, index % 2 === 0 ? one : other)
      return browser
    }),
  )
}

async function userOf(browser: Browser, application: Application = one): Promise<string | null> {
  const { status, content } = await browser.copy().ask(application, '/get-session')
  assert.equal(status, 200)
  return (content?.user as { email: string } | undefined)?.email ?? null
}
