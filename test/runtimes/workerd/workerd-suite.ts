/** What a Worker has to pass: the pattern that the documents give, on Cloudflare's own runtime. */
import assert from 'node:assert/strict'
import pg from 'pg'
import { PostgresStore } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { createRunner } from '../runner.ts'

const origin = process.env.WORKER_ORIGIN ?? ''
const runner = createRunner()
const admin = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 2 })

interface Page {
  readonly status: number
  readonly content: { readonly user?: string; readonly visits?: number; readonly error?: string }
}

class Browser {
  #cookie = ''

  get id(): string {
    const [, token = ''] = this.#cookie.split('=')
    const hex = Buffer.from(token.slice(0, 22), 'base64url').toString('hex')
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*/, '$1-$2-$3-$4-$5')
  }

  async visit(path: string): Promise<Page> {
    const response = await fetch(`${origin}${path}`, { headers: { cookie: this.#cookie } })
    const [line = ''] = response.headers.getSetCookie()
    if (line !== '') this.#cookie = line.split(';')[0] ?? ''
    return { status: response.status, content: (await response.json()) as Page['content'] }
  }
}

for (const client of ['pg', 'postgres-js']) {
  const own = `/own/${client}`
  runner.describe(`workerd with ${client}`, () => {
    runner.it('gives 12 answers to 12 concurrent requests', async () => {
      const pages = await Promise.all(
        Array.from({ length: 12 }, () => new Browser().visit(`${own}/visit`)),
      )
      assert.deepEqual(
        pages,
        pages.map(() => ({ status: 200, content: { user: null, visits: 1 } })),
      )
    })

    runner.it('keeps a session of one browser under concurrent requests', async () => {
      const browser = new Browser()
      await browser.visit(`${own}/visit`)
      await Promise.all(Array.from({ length: 11 }, () => browser.visit(`${own}/visit`)))
      assert.deepEqual((await browser.visit(`${own}/read`)).content, { user: null, visits: 12 })
    })

    runner.it('shows no session to another in 1000 requests with sign-ins and ends', async () => {
      await Promise.all(Array.from({ length: 12 }, (_, index) => live(own, `user${index}`, 84)))
    })

    runner.it('notes an access after the response', async () => {
      const browser = new Browser()
      await browser.visit(`${own}/visit`)
      await admin.query(
        `update sessions.session set last_access_at = last_access_at - interval '1 min',
          expires_at = expires_at - interval '1 min' where id = $1`,
        [browser.id],
      )
      await browser.visit(`${own}/read`)
      await until(`select last_access_at > now() - interval '30 s' as is_so
        from sessions.session where id = '${browser.id}'`)
    })

    runner.it('fails at once, and says why, when requests share a client', async () => {
      const path = `/shared/${client}/visit`
      await new Browser().visit(path)
      const pages = await Promise.all(Array.from({ length: 12 }, () => new Browser().visit(path)))
      for (const { status, content } of pages) {
        assert.equal(status, 500)
        assert.match(content.error ?? '', /ConfigurationError: .*within each request's handler/)
      }
    })
  })
}

runner.describe('workerd', () => {
  runner.it('leaves no connection open but those of the client that was shared', async () => {
    await until(`select count(*) <= 3 as is_so from pg_stat_activity
      where datname = current_database() and backend_type = 'client backend'
        and pid <> pg_backend_pid()`)
  })
})

/** One browser's life: it always sees its own user and count. */
async function live(own: string, user: string, requests: number): Promise<void> {
  const browser = new Browser()
  for (let request = 0; request < requests; ) {
    const signedIn = await browser.visit(`${own}/${user}`)
    assert.deepEqual(signedIn, { status: 200, content: { user, visits: 0 } })
    for (const visits of [1, 2, 3, 4, 5]) {
      const page = await browser.visit(`${own}/visit`)
      assert.deepEqual(page, { status: 200, content: { user, visits } })
    }
    const signedOut = await browser.visit(`${own}/sign-out`)
    assert.deepEqual(signedOut, { status: 200, content: { user: null, visits: 0 } })
    request += 7
  }
}

async function until(sql: string): Promise<void> {
  const end = Date.now() + 30_000
  for (;;) {
    const { rows } = await admin.query<{ is_so: boolean }>(sql)
    if (rows[0]?.is_so) return
    if (Date.now() > end) assert.fail(`It never came to this: ${sql}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

await new PostgresStore({ driver: fromPg(admin) }).ready()
const { passed, failed } = await runner.run()
await admin.end()
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
