import assert from 'node:assert/strict'
import {
  type AdapterTest,
  assertNewCookie,
  assertNoCookie,
  assertSilent,
  entriesOf,
  holdingsOf,
} from './harness.ts'

/** Requests that store nothing: what they cost, and what their responses say. */
export function visitTests(test: AdapterTest): void {
  test('asks the store nothing and says nothing when a route leaves the session alone', async ({
    regular,
    store,
  }) => {
    const browser = await regular()
    const answer = await browser.ask('/untouched')
    assert.equal(answer.text, 'untouched')
    assertSilent(answer)
    assertSilent(await browser.ask('/nowhere'))
    assert.deepEqual(store.calls, [])
  })

  test('asks the store nothing for a visitor without a cookie, but tells caches of it', async ({
    visitor,
    store,
  }) => {
    const answer = await visitor().ask('/use')
    assert.deepEqual(holdingsOf(answer), { userId: null, entries: {} })
    assertNoCookie(answer)
    assert.doesNotMatch(answer.lines('cache-control').join(), /no-store/)
    assert.deepEqual(store.calls, [])
  })

  test('takes a malformed cookie for none, without asking the store', async ({
    visitor,
    store,
  }) => {
    const malformed = ['', 'x', '%00', '"quoted"', 'a.b', '..', '💥'.slice(0, 1), 'A'.repeat(4000)]
    for (const value of malformed) {
      const headers = { cookie: `__Host-id=${encodeURI(value.toWellFormed())}; theme=dark` }
      const answer = await visitor().ask('/use', { headers })
      assert.deepEqual(holdingsOf(answer).entries, {}, value)
      assertNoCookie(answer)
    }
    assert.deepEqual(store.calls, [])
  })

  test('takes a token of no session for none, and never adopts it', async ({
    regular,
    store,
    sessions,
  }) => {
    const browser = await regular()
    await browser.ask('/use?signIn=ann')
    const token = browser.cookie()
    await sessions.destroyByUser('ann')
    store.calls.splice(0)
    assert.deepEqual(await entriesOf(browser), {})
    assert.deepEqual(store.calls, ['load'])
    assertNewCookie(await browser.ask('/change?set=a:1'))
    assert.notEqual(browser.cookie(), token)
  })

  test('asks the store once to read, and sends no cookie', async ({ regular, store }) => {
    const browser = await regular()
    const answer = await browser.ask('/use')
    assert.deepEqual(holdingsOf(answer).entries, { old: 'kept' })
    assertNoCookie(answer)
    assert.deepEqual(store.calls, ['load'])
  })

  test('sets no cookie for a change that leaves nothing to keep', async ({ visitor, store }) => {
    assertNoCookie(await visitor().ask('/change?delete=a'))
    assert.deepEqual(store.calls, [])
  })
}
