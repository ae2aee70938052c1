import { chmod, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page, Route } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { findBrowser, startBrowser } from './browser.ts'
import { type DemoProcess, startDemo } from './demo-process.ts'

const browserPath = findBrowser()

if (browserPath === undefined) {
  // Not by `console`, whose lines a run without failures leaves out.
  process.stderr.write(
    'The demo is not tested in a browser: install Chromium, or set CHROMIUM_PATH to one.\n',
  )
}

describe.skipIf(browserPath === undefined)('the demo in a browser', () => {
  let folder: string
  let demo: DemoProcess
  let browser: Browser
  const devices: BrowserContext[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pg-sessions-demo-'))
    // As root, the server runs under another account, which has to pass through.
    await chmod(folder, 0o711)
    demo = await startDemo({ args: ['--port', '0', '--data', folder] })
    browser = await startBrowser(browserPath as string)
  })

  afterEach(async () => {
    await Promise.all(devices.splice(0).map((device) => device.close()))
  })

  afterAll(async () => {
    await browser?.close()
    await demo?.stop()
    const data = await realpath(join(folder, 'cluster')).catch(() => folder)
    await rm(data, { recursive: true, force: true })
    await rm(folder, { recursive: true, force: true })
  })

  /** A browser of its own, with its own cookies, that shows the demo. */
  async function openDevice(userAgent?: string): Promise<Page> {
    const device = await browser.newContext(userAgent === undefined ? {} : { userAgent })
    devices.push(device)
    return openTab(device)
  }

  async function openTab(device: BrowserContext): Promise<Page> {
    const page = await device.newPage()
    await page.goto(demo.url)
    return page
  }

  /** Presses a button, each of which leads to a new page, and waits until that is there. */
  async function press(page: Page, name: string | RegExp): Promise<void> {
    const loaded = page.waitForEvent('load')
    await page.getByRole('button', { name }).click()
    await loaded
  }

  async function signIn(page: Page, name: string): Promise<void> {
    await page.getByLabel('Name').fill(name)
    await press(page, 'Sign in')
  }

  const count = (page: Page, good: string): Promise<string | null> =>
    page.locator(`[data-good="${good}"]`).textContent()

  const account = (page: Page): Promise<string | null> =>
    page.locator('#account-title').textContent()

  test('signs in, and keeps the basket filled before the sign-in', async () => {
    const page = await openDevice()
    await press(page, 'Add Rye bread')
    await signIn(page, 'Ann')
    expect(await account(page)).toBe('Signed in as Ann')
    expect(await count(page, 'bread')).toBe('1')
  })

  test('shows its greeting once', async () => {
    const page = await openDevice()
    await signIn(page, 'Bob')
    expect(await page.getByRole('status').textContent()).toContain('Welcome, Bob')
    await page.reload()
    expect(await page.getByRole('status').count()).toBe(0)
  })

  test('loses no click of two tabs at once', async () => {
    const first = await openDevice()
    await signIn(first, 'Cleo')
    const second = await openTab(first.context())
    const held: Route[] = []
    await first.context().route('**/add', async (route) => {
      // Both tabs' requests leave together.
      if (held.push(route) === 2) await Promise.all(held.splice(0).map((each) => each.continue()))
    })
    for (let round = 0; round < 5; round += 1) {
      await Promise.all([first, second].map((tab) => press(tab, 'Add Coffee beans')))
    }
    await first.reload()
    expect(await count(first, 'coffee')).toBe('10')
  })

  test('knows two browsers as two devices, and each is named', async () => {
    const phone = await openDevice(
      'Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) Safari/604',
    )
    await signIn(phone, 'Dora')
    const desktop = await openDevice('Mozilla/5.0 (Windows NT 10.0; rv:140.0) Firefox/140.0')
    await signIn(desktop, 'Dora')
    const names = await desktop.locator('.devices strong').allTextContents()
    expect(names).toEqual(['Firefox on Windows', 'Safari on iPhone'])
    expect(await desktop.locator('.devices li').first().textContent()).toContain('this one')
  })

  test('ends the page of a device at its next click when another signs it out', async () => {
    const [here, there] = [await openDevice(), await openDevice()]
    await signIn(there, 'Emil')
    await signIn(here, 'Emil')
    await press(here, /^Sign out .+, signed in/)
    expect(await here.locator('.devices li').count()).toBe(1)
    await press(there, 'Add Coffee beans')
    expect(await there.getByRole('status').textContent()).toContain('Your session has ended')
    expect(await account(there)).toBe('Sign in')
    expect(await count(there, 'coffee')).toBe('0')
  })

  test('signs out all other devices and keeps this one', async () => {
    const all = [await openDevice(), await openDevice(), await openDevice()]
    for (const page of all) await signIn(page, 'Fay')
    const [first, second, here] = all as [Page, Page, Page]
    await press(here, 'Sign out all others')
    expect(await here.getByRole('status').textContent()).toContain('2 devices')
    expect(await account(here)).toBe('Signed in as Fay')
    for (const page of [first, second]) {
      await page.reload()
      expect(await account(page)).toBe('Sign in')
    }
  })

  test('signs out, and says so in a new anonymous session', async () => {
    const page = await openDevice()
    await signIn(page, 'Gil')
    await press(page, 'Sign out')
    expect(await page.getByRole('status').textContent()).toContain('You are signed out')
    expect(await account(page)).toBe('Sign in')
  })

  test('hides the cookie from the scripts of the page', async () => {
    const page = await openDevice()
    await signIn(page, 'Hal')
    const [cookie] = await page.context().cookies()
    expect(cookie).toMatchObject({ name: 'demo-id', httpOnly: true, sameSite: 'Lax' })
    expect(await page.evaluate('document.cookie')).toBe('')
  })

  test('shows markup in a name as text', async () => {
    const page = await openDevice()
    const name = '"><img id=x><script>name=1</script>'
    await signIn(page, name)
    expect(await account(page)).toBe(`Signed in as ${name}`)
    expect(await page.locator('#x').count()).toBe(0)
    expect(await page.evaluate('window.name')).toBe('')
  })

  test('asks for a recent sign-in before an address changes, and comes back', async () => {
    const page = await openDevice()
    await signIn(page, 'Ida')
    await press(page, 'Change your address')
    expect(await page.locator('h1').textContent()).toBe('Change your address')
    await page.goto(demo.url)
    await press(page, 'Let 10 minutes pass')
    await press(page, 'Change your address')
    expect(await page.locator('h1').textContent()).toBe('Sign in again')
    await press(page, 'Sign in as Ida')
    await page.getByLabel('Address').fill('1 New Lane')
    await press(page, 'Save')
    expect(await page.locator('.address').textContent()).toBe('1 New Lane')
  })

  test('shows who acts as a user, to both, until the administrator stops', async () => {
    const [admin, ann] = [await openDevice(), await openDevice()]
    await signIn(ann, 'ann')
    await signIn(admin, 'admin')
    await press(admin, 'Act as this user')
    const banner = admin.getByRole('form', { name: 'Acting as a user' })
    expect(await banner.textContent()).toContain('admin acts as ann, for at most 15 minutes.')
    expect(await account(admin)).toBe('Signed in as ann')
    await ann.reload()
    expect(await ann.locator('.devices li').last().textContent()).toContain('by support')
    await press(admin, 'Change your address')
    expect(await admin.locator('h1').textContent()).toBe('Support cannot change an address')
    await admin.getByRole('link').click()
    await press(admin, 'Stop acting')
    expect(await account(admin)).toBe('Signed in as admin')
    expect(await banner.count()).toBe(0)
    await ann.reload()
    expect(await ann.locator('.devices li').count()).toBe(1)
  })

  test('counts down the time that is left', async () => {
    const page = await openDevice()
    await signIn(page, 'Jon')
    const idle = page.locator('#time .clock').first()
    await expect.poll(() => idle.textContent()).toMatch(/^1[45]:\d\d$/)
    const before = await idle.textContent()
    await expect.poll(() => idle.textContent()).not.toBe(before)
  })

  test('does everything without JavaScript too', async () => {
    const device = await browser.newContext({ javaScriptEnabled: false })
    devices.push(device)
    const page = await openTab(device)
    await signIn(page, 'Kay')
    await press(page, 'Add Forest honey')
    expect(await count(page, 'honey')).toBe('1')
    expect(await page.locator('#time .clock').allTextContents()).toEqual(['15 minutes', '12 hours'])
    await press(page, 'Fire 50 clicks')
    expect(await page.locator('[data-counted=update]').textContent()).toBe('50 of 50')
    await press(page, 'Let 10 minutes pass')
    await press(page, 'Change your address')
    await press(page, 'Sign in as Kay')
    await page.getByLabel('Address').fill('1 New Lane')
    await press(page, 'Save')
    expect(await page.locator('.address').textContent()).toBe('1 New Lane')
    await press(page, 'Save after sign-out')
    expect(await page.locator('h1').textContent()).toBe('The late save was refused')
    await page.getByRole('link').click()
    await signIn(page, 'admin')
    await press(page, 'Act as this user')
    await press(page, 'Stop acting')
    expect(await account(page)).toBe('Signed in as admin')
    await press(page, 'Expire now')
    expect(await page.getByRole('status').textContent()).toContain('Your session has expired')
  })

  test('counts all of 50 concurrent clicks, for a visitor without a session too', async () => {
    const page = await openDevice()
    await press(page, 'Fire 50 clicks')
    expect(await page.locator('[data-counted=update]').textContent()).toBe('50 of 50')
  })

  test('fits a screen that is 320 pixels wide', async () => {
    const page = await openDevice('Mozilla/5.0 (Windows NT 10.0; rv:140.0) Firefox/140.0')
    await page.setViewportSize({ width: 320, height: 640 })
    const width = (): Promise<unknown> => page.evaluate('document.documentElement.scrollWidth')
    expect(await width()).toBeLessThanOrEqual(320)
    await press(page, 'Fire 50 clicks')
    await signIn(page, 'W'.repeat(40))
    await signIn(await openDevice(), 'W'.repeat(40))
    await press(page, 'Rotate token')
    expect(await width()).toBeLessThanOrEqual(320)
    await press(page, 'Change your address')
    await page.getByLabel('Address').fill('W'.repeat(80))
    await press(page, 'Save')
    expect(await width()).toBeLessThanOrEqual(320)
    await press(page, 'Let 10 minutes pass')
    await press(page, 'Change your address')
    expect(await width()).toBeLessThanOrEqual(320)
    await page.goto(demo.url)
    await press(page, 'Clear session')
    await signIn(page, 'admin')
    await page.getByLabel('User', { exact: true }).fill('W'.repeat(40))
    await press(page, 'Act as this user')
    expect(await width()).toBeLessThanOrEqual(320)
  })

  test('breaks no rule of its content security policy', async () => {
    const page = await openDevice()
    const complaints: string[] = []
    page.on('console', (message) => complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(error.message))
    await signIn(page, 'admin')
    await press(page, 'Rotate token')
    await press(page, 'Let 10 minutes pass')
    await press(page, 'Change your address')
    await press(page, 'Sign in as admin')
    await page.goto(demo.url)
    await press(page, 'Act as this user')
    await press(page, 'Stop acting')
    expect(complaints).toEqual([])
  })

  test('keeps sessions over a restart of the demo', async () => {
    const page = await openDevice()
    await press(page, 'Add Stoneware mug')
    await signIn(page, 'Mia')
    expect(await demo.stop()).toBe(0)
    await expect(page.reload()).rejects.toThrow('ERR_CONNECTION_REFUSED')
    demo = await startDemo({ args: ['--port', new URL(demo.url).port, '--data', folder] })
    await page.goto(demo.url)
    expect(await account(page)).toBe('Signed in as Mia')
    expect(await count(page, 'mug')).toBe('1')
  })
})
