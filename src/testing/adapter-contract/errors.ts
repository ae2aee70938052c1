import assert from 'node:assert/strict'
import { StoreUnavailableError } from '../../errors.ts'
import {
  type AdapterTest,
  assertNewCookie,
  assertNoCookie,
  entriesOf,
  holdingsOf,
} from './harness.ts'

/** Routes that throw, and those that are not there. */
export function errorTests(test: AdapterTest): void {
  for (const route of ['/throw', '/throw-later']) {
    test(`saves what was set before ${route}, and sends its cookie with the error page`, async ({
      visitor,
      script,
    }) => {
      const browser = visitor()
      const answer = await browser.ask(`${route}?set=a:1`)
      assert.deepEqual([answer.status, answer.text], [500, 'error page'])
      assert.deepEqual(script.errors, [script.error])
      assertNewCookie(answer)
      const second = await browser.ask(`${route}?set=b:2`)
      assert.equal(second.status, 500)
      assertNoCookie(second)
      assert.deepEqual(await entriesOf(browser), { a: '1', b: '2' })
    })
  }

  test('leaves an error page without a cookie when nothing was set', async ({ visitor, store }) => {
    const answer = await visitor().ask('/throw')
    assert.deepEqual([answer.status, answer.text], [500, 'error page'])
    assert.deepEqual(answer.lines('set-cookie'), [])
    assert.deepEqual(store.calls, [])
  })

  test('sends the cookie of a sign-in with the error page that follows it', async ({ regular }) => {
    const browser = await regular()
    const answer = await browser.ask('/throw-later?signIn=ann')
    assert.equal(answer.status, 500)
    assertNewCookie(answer)
    assert.equal(holdingsOf(await browser.ask('/use')).userId, 'ann')
  })

  test('sends the cookie of a sign-in with the error of a later save', async ({
    regular,
    store,
  }) => {
    const browser = await regular()
    const signedIn = store.next('save')
    store.fail('save', new StoreUnavailableError('The store is away.', 'none'))
    const answer = await browser.ask('/use?signIn=ann&after=a:1')
    await signedIn
    assert.equal(answer.status, 503)
    assertNewCookie(answer)
    const { userId, entries } = holdingsOf(await browser.ask('/use'))
    assert.deepEqual([userId, entries], ['ann', { old: 'kept' }])
  })

  test('sends the cookie of a sign-in once, whatever the error page of a later save sets', async ({
    regular,
    store,
  }) => {
    const browser = await regular()
    const signedIn = store.next('save')
    store.fail('save', new StoreUnavailableError('The store is away.', 'none'))
    const noticed = store.next('save')
    assertNewCookie(await browser.ask('/use?signIn=ann&after=a:1&onError=notice:sorry'))
    await signedIn
    await noticed
    assert.deepEqual(await entriesOf(browser), { old: 'kept', notice: 'sorry' })
  })

  test('saves what an error page sets', async ({ visitor }) => {
    const browser = visitor()
    assertNewCookie(await browser.ask('/throw?onError=notice:sorry'))
    assert.deepEqual(await entriesOf(browser), { notice: 'sorry' })
  })

  test('sends the cookie with a 404 page', async ({ visitor }) => {
    const browser = visitor()
    const answer = await browser.ask('/passed-on?set=a:1')
    assert.equal(answer.status, 404)
    assertNewCookie(answer)
    assertNoCookie(await browser.ask('/passed-on?set=b:2'))
    assert.deepEqual(await entriesOf(browser), { a: '1', b: '2' })
  })

  test('holds a 404 page, and answers with an error instead when the save fails', async ({
    visitor,
    store,
  }) => {
    store.fail('create', new StoreUnavailableError('The store is away.', 'none'))
    const browser = visitor()
    const answer = await browser.ask('/passed-on?set=a:1')
    assert.equal(answer.status, 503)
    assertNoCookie(answer)
    assert.deepEqual(await entriesOf(browser), {})
  })
}
