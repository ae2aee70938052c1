import axe from 'axe-core'
import pg from 'pg'
import { createSessions, type Sessions } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SCHEMA } from '../../demo/under-the-hood/stored-session.ts'
import type { TestDatabase } from '../support/database.ts'
import { findBrowser, startBrowser } from './browser.ts'
import { type DemoProcess, startDemo } from './demo-process.ts'

const browserPath = findBrowser()

if (browserPath === undefined) {
  process.stderr.write(
    'The admin page is not tested in a browser: install Chromium, or set CHROMIUM_PATH to one.\n',
  )
}

const HOSTILE = `"><img src=x onerror="window.name='hit'"><script>window.name='hit'</script>`

/** Names that another page could break at: in its address, its forms, its text, or a template. */
const STRANGE_NAMES: readonly string[] = [
  'a/b%2F?by=tag&q=1#c d+e',
  `{{7*7}}\${7*7}<%= 7*7 %>`,
  "\u202Eann\u2066 \u0007\u0085'",
  'two\nlines\r\nand\ttabs',
  '\u{1F469}\u200D\u{1F680} \u05D0\u05D1 e\u0301',
]

/** How thoroughly to look. */
export interface AdminInBrowser {
  readonly title: string
  open(): Promise<Pick<TestDatabase, 'url' | 'drop'>>
  /** Whether axe looks at each view in light and in dark, rather than at most of them in one. */
  readonly isThorough: boolean
  /** Further tests, given a way to open a path of the admin page as the administrator. */
  further?(visit: (query: string) => Promise<void>): void
}

/** The tests of the admin page of the demo in a browser, on the database that `open` gives. */
export function testAdminInBrowser({ title, open, isThorough, further }: AdminInBrowser): void {
  describe.skipIf(browserPath === undefined)(title, () => {
    let database: Pick<TestDatabase, 'url' | 'drop'>
    let demo: DemoProcess
    let pool: pg.Pool
    let sessions: Sessions
    let browser: Browser
    const complaints: string[] = []

    beforeAll(async () => {
      database = await open()
      demo = await startDemo({ args: ['--port', '0'], databaseUrl: database.url })
      pool = new pg.Pool({ connectionString: database.url })
      sessions = createSessions({ database: fromPg(pool), schema: SCHEMA, log: false })
      browser = await startBrowser(browserPath as string)
      for (const [user, label] of [
        [HOSTILE, HOSTILE],
        ['W'.repeat(200), 'W'.repeat(200)],
        ['ann', 'Firefox'],
        ['ann', 'Safari'],
      ]) {
        await signIn(user as string, label as string)
      }
    })

    afterAll(async () => {
      await browser?.close()
      await sessions?.close()
      await pool?.end()
      await demo?.stop()
      await database?.drop()
    })

    async function signIn(userId: string, label: string): Promise<string> {
      const { session } = sessions.open(null)
      session.set(HOSTILE, HOSTILE)
      await session.signIn(userId, { device: { label } })
      return session.id as string
    }

    /** A page of an administrator of the demo, without scripts of its own: the admin page has none. */
    async function openAdmin(options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
      const context: BrowserContext = await browser.newContext(options)
      const page = await context.newPage()
      page.on('console', (message) => complaints.push(message.text()))
      page.on('pageerror', (error) => complaints.push(error.message))
      await page.goto(demo.url)
      await page.getByLabel('Name').fill('admin')
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.goto(`${demo.url}/admin`)
      return page
    }

    test('keeps out who is not the administrator of the demo', async () => {
      const page = await (await browser.newContext()).newPage()
      const answer = await page.goto(`${demo.url}/admin`)
      expect(answer?.status()).toBe(403)
      expect(await page.textContent('body')).toContain('Sign in as "admin"')
      await page.context().close()
    })

    test('is found from the demo, and finds and ends a session without JavaScript', async () => {
      const page = await openAdmin({ javaScriptEnabled: false })
      const id = await signIn('bob', 'Opera')
      await page.goto(demo.url)
      await page.getByRole('link', { name: 'admin page' }).click()
      expect(await page.locator('h1').textContent()).toBe('Sessions')
      await page.getByLabel('Search for').fill('bob')
      await page.getByRole('button', { name: 'Search' }).click()
      await page.getByRole('link', { name: id }).click()
      await page.getByRole('link', { name: 'End this session' }).click()
      await page.getByRole('button', { name: 'End the session' }).click()
      expect(await page.getByRole('status').textContent()).toBe('One session has ended.')
      expect(await sessions.listByUser('bob')).toEqual([])
      await page.context().close()
    })

    test('ends all sessions of a user, whose name may be markup', async () => {
      const user = `${HOSTILE}2`
      await signIn(user, HOSTILE)
      await signIn(user, HOSTILE)
      const page = await openAdmin()
      await page.getByLabel('Search for').fill(user)
      await page.getByRole('button', { name: 'Search' }).click()
      await page.getByRole('link', { name: 'End all sessions of this user' }).click()
      await page.getByRole('button', { name: 'End all sessions' }).click()
      expect(await page.getByRole('status').textContent()).toBe('2 sessions have ended.')
      await page.context().close()
    })

    test('ends sessions of users with names that break other pages', async () => {
      const page = await openAdmin({ javaScriptEnabled: false })
      for (const name of STRANGE_NAMES) {
        const { session } = sessions.open(null)
        await session.signIn(name, { device: { label: name.repeat(10) }, tags: [name] })
        await page.goto(`${demo.url}/admin?${new URLSearchParams({ by: 'tag', q: name })}`)
        await page.getByRole('link', { name: session.id as string }).click()
        expect(await page.locator('h1').textContent()).toContain(session.id)
        await page.locator('dl.facts a[href*="by=user"]').click()
        await page.getByRole('link', { name: 'End all sessions of this user' }).click()
        await page.getByRole('button', { name: 'End all sessions' }).click()
        expect(await page.getByRole('status').textContent(), name).toBe('One session has ended.')
        expect(await sessions.listByUser(name)).toEqual([])
      }
      await page.context().close()
    })

    test('has no accessibility fault, in light and dark, and fits 320 pixels', async () => {
      const page = await openAdmin({ viewport: { width: 320, height: 640 } })
      const [hostile] = await sessions.listByUser(HOSTILE)
      const queries = [
        '',
        '?newest',
        `?${new URLSearchParams({ by: 'user', q: HOSTILE })}`,
        `?by=user&q=${'W'.repeat(200)}`,
        `?session=${hostile?.id}`,
        '?end-user=ann',
        `?end-session=${hostile?.id}`,
        '?by=device&q=fire',
        '?by=tag&q=none',
        '?session=none',
        '?by=none&q=none',
      ]
      for (const query of queries) {
        const isOften = isThorough || query === '' || query.startsWith('?session=0')
        for (const colorScheme of isOften ? (['light', 'dark'] as const) : (['dark'] as const)) {
          await page.emulateMedia({ colorScheme })
          await page.goto(`${demo.url}/admin${query}`)
          await page.evaluate(axe.source)
          const { violations } = (await page.evaluate('axe.run()')) as axe.AxeResults
          const faults = violations.map(
            ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`,
          )
          expect(faults, `${query} ${colorScheme}`).toEqual([])
        }
        expect(
          await page.evaluate('document.documentElement.scrollWidth'),
          query,
        ).toBeLessThanOrEqual(320)
      }
      await page.context().close()
    })

    test('applies its own style alone, runs no script, and breaks no rule of its policy', async () => {
      const page = await openAdmin()
      const [hostile] = await sessions.listByUser(HOSTILE)
      for (const query of ['', '?newest', `?session=${hostile?.id}`, '?by=device&q=img']) {
        await page.goto(`${demo.url}/admin${query}`)
        expect(await page.evaluate('window.name')).toBe('')
        expect(await page.locator('img, script').count()).toBe(0)
      }
      const family = await page.evaluate('getComputedStyle(document.body).fontFamily')
      expect(family).toContain('system-ui')
      expect(complaints.filter((text) => !text.includes('status of 404'))).toEqual([])
      await page.context().close()
    })

    let administrator: Page | undefined
    further?.(async (query) => {
      administrator ??= await openAdmin()
      await administrator.goto(`${demo.url}/admin${query}`)
    })
  })
}
