import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Client, Pool } from 'pg'
import { createSessions, type Sessions } from 'pg-sessions'
import { withSession } from 'pg-sessions/fetch'
import { fromPg } from 'pg-sessions/pg'
import type { Browser } from './browser.ts'
import type { OldLibrary } from './old-libraries.ts'

const serverUrl = process.env.DATABASE_URL ?? ''
const program = fileURLToPath(import.meta.resolve('pg-sessions/package.json')).replace(
  /package\.json$/,
  'dist/cli/main.js',
)

/** Declares the tests of a switch from a library, each application with a database of its own. */
export function switchOver(name: string, open: (pool: Pool) => Promise<OldLibrary>): void {
  describe(`switching from ${name}`, () => {
    const database = `switch_${name.replaceAll(/\W/g, '_').toLowerCase()}`
    let url: string
    let pool: Pool
    let library: OldLibrary
    let processes: Application[]

    before(async () => {
      url = await createDatabase(database)
      pool = new Pool({ connectionString: url, max: 20 })
      library = await open(pool)
      processes = [startApplication(pool, library), startApplication(pool, library)]
      await processes[0]?.sessions.ready()
    })
    after(async () => {
      for (const { sessions } of processes) await sessions.close()
      await pool.end()
      await dropDatabase(database)
    })

    const [here, there] = [() => processes[0] as Application, () => processes[1] as Application]
    const importThem = (...args: string[]): Promise<{ stdout: string }> =>
      promisify(execFile)(process.execPath, [program, 'import', ...library.importArgs, ...args], {
        env: { ...process.env, DATABASE_URL: url },
      })
    const rowsLeft = async (): Promise<number> => {
      const { rows } = await pool.query(`select count(*)::int as n from ${library.table}`)
      return rows[0].n
    }

    it('keeps a browser signed in as the same user, gives it our cookie in the place of the old one', async () => {
      const { browser, userId } = await library.signIn()
      assert.equal(await library.userOf(browser), userId)
      const [names, old] = [browser.names, browser.copy()]
      assert.equal(await here().userOf(browser), userId)
      assert.deepEqual(browser.names, names)
      assert.notEqual(browser.cookie, old.cookie)
      assert.equal(await library.userOf(old), null)
      assert.equal(await there().userOf(browser), userId)
      assert.equal(await rowsLeft(), 0)
    })

    it('never brings back a session that ended here, not even if its row is written again', async () => {
      const { browser, userId } = await library.signIn()
      const old = browser.copy()
      const { rows } = await pool.query(`select * from ${library.table}`)
      assert.equal(await here().userOf(browser), userId)
      await browser.ask(here().handler, 'https://shop.example/sign-out')
      assert.equal(await there().userOf(old.copy()), null)
      await putBack(pool, library, rows[0])
      assert.equal(await there().userOf(old.copy()), null)
      await pool.query(`delete from ${library.table}`)
    })

    it("ends and lists a user's sessions that have not moved", async () => {
      const { browser, userId } = await library.signIn()
      assert.equal((await here().sessions.listByUser(userId)).length, 1)
      const next = await library.signIn()
      assert.equal(await here().sessions.destroyByUser(next.userId), 1)
      assert.equal(await there().userOf(next.browser), null)
      assert.equal(await there().userOf(browser), userId)
    })

    it('takes no cookie that the old library would not take', async () => {
      const { browser } = await library.signIn()
      const [pair = ''] = browser.cookie.split('; ').slice(-1)
      const [cookieName = '', value = ''] = pair.split(/=(.*)/s)
      const another = value.endsWith('A') ? 'B' : 'A'
      for (const forged of [
        `${value.slice(0, -1)}${another}`,
        `${value}A`,
        value.slice(1),
        '',
        '%',
        'x'.repeat(300),
      ]) {
        const thief = browser.copy()
        thief.keep([`${cookieName}=${forged}`])
        if (forged !== '') assert.equal(await here().userOf(thief), null, forged)
      }
      await pool.query(`delete from ${library.table}`)
    })

    it('switches 200 browsers under load, beside an import: each stays its user, and nothing is lost', async () => {
      const visitors = await Promise.all(Array.from({ length: 200 }, () => library.signIn()))
      const importing = importThem('--batch-size', '5')
      const seen = await Promise.all(
        visitors.map(async ({ browser, userId }) => {
          // A page and what it fetches, which all hold the old cookie.
          const requests = [browser, browser.copy(), browser.copy()]
          const users = await Promise.all(
            requests.map((each, index) => processes[index % 2]?.userOf(each)),
          )
          assert.deepEqual(users, [userId, userId, userId])
          return there().userOf(browser)
        }),
      )
      const { stdout } = await importing
      assert.match(stdout, /^Moved \d+ session/)
      assert.deepEqual(
        seen,
        visitors.map(({ userId }) => userId),
      )
      assert.equal(await rowsLeft(), 0)
      for (const { userId } of visitors.slice(0, 20)) {
        assert.equal((await here().sessions.listByUser(userId)).length, 1)
      }
    })

    it('imports the sessions of users who do not return, and their cookies work later', async () => {
      const visitors = await Promise.all(Array.from({ length: 12 }, () => library.signIn()))
      const { stdout } = await importThem()
      assert.match(stdout, /^Moved 12 sessions/)
      assert.equal(await rowsLeft(), 0)
      for (const { browser, userId } of visitors) {
        assert.equal(await here().userOf(browser), userId)
      }
    })
  })
}

interface Application {
  readonly sessions: Sessions
  handler(request: Request): Promise<Response>
  userOf(browser: Browser): Promise<string | null>
}

/** A process of the application after the switch. */
function startApplication(pool: Pool, library: OldLibrary): Application {
  const sessions = createSessions({
    ...library.settings(fromPg(pool)),
    idleTimeout: '7d',
    log: false,
  })
  const handler = withSession(sessions, async (request, session) => {
    await session.load()
    const { userId } = session
    if (new URL(request.url).pathname === '/sign-out') await session.signOut()
    return Response.json({ userId })
  })
  return {
    sessions,
    handler,
    async userOf(browser) {
      const answer = await browser.ask(handler, 'https://shop.example/')
      assert.equal(answer.status, 200)
      return ((await answer.json()) as { userId: string | null }).userId
    },
  }
}

async function putBack(
  pool: Pool,
  { table }: OldLibrary,
  row: Record<string, unknown>,
): Promise<void> {
  const columns = Object.keys(row).map((column) => `"${column}"`)
  const places = columns.map((_, index) => `$${index + 1}`)
  await pool.query(
    `insert into ${table} (${columns.join(', ')}) values (${places.join(', ')})`,
    Object.values(row),
  )
}

async function createDatabase(name: string): Promise<string> {
  await onServer(`drop database if exists ${name} with (force)`)
  await onServer(`create database ${name}`)
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return url.href
}

const dropDatabase = (name: string): Promise<void> =>
  onServer(`drop database if exists ${name} with (force)`)

async function onServer(statement: string): Promise<void> {
  const client = new Client({ connectionString: serverUrl })
  await client.connect()
  await client.query(statement)
  await client.end()
}
