import assert from 'node:assert/strict'
import { StoreUnavailableError } from '../../errors.ts'
import {
  type AdapterTest,
  assertNewCookie,
  assertNoCookie,
  entriesOf,
  holdingsOf,
} from './harness.ts'

/** One session in one request, and two kinds of sessions in one application. */
export function companyTests(test: AdapterTest): void {
  nestedTests(test)
  otherTests(test)
}

/** Two adapters of the same `sessions` object on one request. */
function nestedTests(test: AdapterTest): void {
  test('stores a new visitor once for two adapters of the same sessions', async ({
    visitor,
    store,
  }) => {
    const browser = visitor()
    const answer = await browser.ask('/inner?set=a:1')
    assert.deepEqual(holdingsOf(answer).entries, { a: '1' })
    assertNewCookie(answer)
    assert.deepEqual(store.calls, ['create'])
    assert.deepEqual(await entriesOf(browser), { a: '1' })
  })

  test('signs a user in by an inner adapter of the same sessions', async ({ regular, store }) => {
    const browser = await regular()
    const thief = browser.twin()
    const answer = await browser.ask('/inner?set=a:1&signIn=ann')
    assert.deepEqual(holdingsOf(answer), { userId: 'ann', entries: { old: 'kept', a: '1' } })
    assertNewCookie(answer)
    assert.deepEqual(store.calls, ['load', 'save'])
    assert.equal(holdingsOf(await browser.ask('/use')).userId, 'ann')
    assert.equal(holdingsOf(await thief.ask('/use')).userId, null)
    thief.close()
  })

  test('answers with one error when the save of two adapters of the same sessions fails', async ({
    visitor,
    store,
    script,
  }) => {
    const error = new StoreUnavailableError('The store is away.', 'none')
    store.fail('create', error)
    const answer = await visitor().ask('/inner?set=a:1')
    assert.equal(answer.status, 503)
    assertNoCookie(answer)
    assert.deepEqual(script.errors, [error])
  })
}

/** Adapters of two `sessions` objects on one request. */
function otherTests(test: AdapterTest): void {
  test('gives the same session wherever a request asks for it', async ({ visitor }) => {
    assert.equal((await visitor().ask('/same')).text, 'true')
  })

  test('leaves the cookie of other sessions in the application alone', async ({ visitor }) => {
    const browser = visitor()
    assertNewCookie(await browser.ask('/change?set=mine:1'))
    const answer = await browser.ask('/other?set=theirs:2')
    assert.match(answer.lines('set-cookie').join(), /^__Host-other=[^,]*$/)
    assert.deepEqual(JSON.parse(answer.text).entries, { theirs: '2' })
    assert.notEqual(browser.cookie('__Host-other'), browser.cookie())
    assert.deepEqual(await entriesOf(browser), { mine: '1' })
    assertNoCookie(await browser.ask('/change?set=mine:2'))
    assert.deepEqual(JSON.parse((await browser.ask('/other')).text).entries, { theirs: '2' })
  })

  test('sends the cookies of both when one request begins both', async ({ visitor, store }) => {
    const browser = visitor()
    const call = store.hold('create')
    const asking = browser.begin('/both?set=a:1')
    await call.reached
    await browser.ask('/untouched')
    assert.equal(asking.hasHead, false)
    call.release()
    const answer = await asking.answer
    assertNewCookie(answer)
    const names = answer.lines('set-cookie').map((line) => line.replace(/=.*/, ''))
    assert.deepEqual(names.sort(), ['__Host-id', '__Host-other'])
    const [mine, theirs] = (await browser.ask('/both')).text.split('\n')
    assert.deepEqual(JSON.parse(mine ?? '').entries, { a: '1' })
    assert.deepEqual(JSON.parse(theirs ?? '').entries, { a: '1' })
  })
}
