/** The page in a real browser. It skips itself where there is none. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { findBrowser, startBrowser } from '../../../test/demo/browser.ts'

const browserPath = findBrowser()
const skip = browserPath === undefined && 'there is no Chromium'

describe('the page in a browser tab', { skip }, () => {
  let server: ChildProcess
  let browser: Browser
  let page: Page
  const complaints: string[] = []

  before(async () => {
    server = spawn(process.execPath, ['serve.js'], {
      env: { ...process.env, PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = await once(server.stdout as NodeJS.ReadableStream, 'data')
    browser = await startBrowser(browserPath as string)
    page = await browser.newPage({ viewport: { width: 320, height: 640 } })
    page.setDefaultTimeout(55_000)
    page.on('console', (message) => {
      if (message.type() !== 'log' && message.type() !== 'info') complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(error.message))
    await page.goto(String(line).trim())
  })

  after(async () => {
    await browser?.close()
    server?.kill()
  })

  async function press(name: string): Promise<void> {
    await page.getByRole('button', { name, exact: true }).click()
    await page.getByRole('button', { name, exact: true, disabled: false }).waitFor()
  }

  async function text(id: string): Promise<string> {
    return (await page.textContent(`#${id}`)) ?? ''
  }

  test('makes no session for who only looks', async () => {
    await page.getByRole('button', { name: 'Click', exact: true, disabled: false }).waitFor()
    assert.equal(await text('greeting'), 'Hello, stranger. Clicks: 0.')
    assert.equal(await text('rows'), 'none')
  })

  test('loses none of 50 concurrent clicks', async () => {
    await press('50 concurrent clicks')
    assert.equal(await text('greeting'), 'Hello, stranger. Clicks: 50.')
  })

  test('gives a sign-in a new cookie, stores no secret, and keeps the clicks', async () => {
    const before = await text('cookie')
    await press('Sign in as ann')
    assert.equal(await text('greeting'), 'Hello, ann. Clicks: 50.')
    const cookie = await text('cookie')
    assert.notEqual(cookie, before)
    assert.match(await text('rows'), /"user_id": "ann"/)
    assert.ok(!(await text('rows')).includes(cookie.slice(-20)))
  })

  test('leaves nothing after a sign-out', async () => {
    await press('Sign out')
    assert.equal(await text('greeting'), 'Hello, stranger. Clicks: 0.')
    assert.equal(await text('cookie'), 'none')
    assert.equal(await text('rows'), 'none')
  })

  test('fits a phone, and complains of nothing', async () => {
    assert.ok(Number(await page.evaluate('document.documentElement.scrollWidth')) <= 320)
    assert.deepEqual(complaints, [])
  })
})
