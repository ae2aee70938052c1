import assert from 'node:assert/strict'
import { signedInAs } from '../signed-in-as.ts'
import type { Answer, AskOptions } from './browser.ts'
import { type AdapterTest, holdingsOf, type Stage } from './harness.ts'

const PASSING: readonly Readonly<Record<string, string>>[] = [
  {},
  { 'sec-fetch-site': 'same-origin', origin: 'https://behind-a-proxy.example' },
  { 'sec-fetch-site': 'none' },
  { 'sec-fetch-site': 'cross-site', origin: 'https://admin.example.com' },
]

const REFUSED: readonly Readonly<Record<string, string>>[] = [
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site', origin: 'http://127.0.0.1:1' },
  { origin: 'null' },
  { origin: 'https://evil.example' },
  { origin: 'https://admin.example.com.evil.example' },
]

const SIX_MINUTES = 6 * 60_000

/** What the adapter's guards let through, and what is refused loudly. */
export function guardTests(
  test: AdapterTest,
  { redirects, property }: { readonly redirects: boolean; readonly property: boolean },
): void {
  test('refuses what pages of other sites send, without asking the store', async (stage) => {
    const browser = stage.visitor()
    for (const headers of PASSING) {
      const { text } = await browser.ask('/same-site', post(headers))
      assert.equal(text, 'same-site', JSON.stringify(headers))
    }
    for (const headers of REFUSED) {
      const answer = await browser.ask('/same-site', post(headers))
      assertRefused(answer, 403, 'same-site')
      assert.equal((await browser.ask('/same-site', { headers })).text, 'same-site')
    }
    assert.deepEqual(stage.store.calls, [])
  })

  test('lets a user through who has just signed in, and refuses the rest', async (stage) => {
    const { visitor, fresh, stale } = await visitorsOf(stage)
    assert.equal((await visitor.ask('/fresh', post(fresh))).text, 'fresh')
    assertRefused(await visitor.ask('/fresh', post({})), 401, 'fresh')
    assertRefused(await visitor.ask('/fresh', post(stale)), 403, 'fresh')
  })

  if (redirects) {
    test('sends a browser to sign in again', async (stage) => {
      const { visitor, stale } = await visitorsOf(stage)
      for (const headers of [{}, stale]) {
        const page = { headers: { ...headers, accept: 'text/html' } }
        const answer = await visitor.ask('/fresh', page)
        assert.deepEqual([answer.status, answer.lines('location')], [303, ['/login']])
        assert.deepEqual(answer.lines('cache-control'), ['no-store'])
      }
    })
  }

  if (property) {
    test('refuses an assignment in the place of the session', async ({ regular, script }) => {
      const browser = await regular()
      await browser.ask('/use?signIn=ann')
      assertRefused(await browser.ask('/assigned'), 500, 'assigned')
      const codes = script.errors.map((error) => Reflect.get(Object(error), 'code'))
      assert.deepEqual(codes, ['ERR_CONFIGURATION'])
      assert.equal(holdingsOf(await browser.ask('/use')).userId, 'ann')
    })
  }
}

type Headers = Readonly<Record<string, string>>

/** A client without cookies, and the cookies of two users: signed in now, and six minutes ago. */
async function visitorsOf({ sessions, visitor }: Stage) {
  const authenticatedAt = new Date(Date.now() - SIX_MINUTES)
  const fresh = await signedInAs(sessions, 'ann')
  const stale = await signedInAs(sessions, 'ann', { authenticatedAt })
  return { visitor: visitor(), fresh: fresh.headers, stale: stale.headers }
}

/** As `fetch` of a page sends it: frameworks have rules of their own for forms. */
function post(headers: Headers): AskOptions {
  return { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: '{}' }
}

function assertRefused(answer: Answer, status: number, text: string): void {
  assert.equal(answer.status, status)
  assert.notEqual(answer.text, text)
  assert.deepEqual(answer.lines('set-cookie'), [])
}
