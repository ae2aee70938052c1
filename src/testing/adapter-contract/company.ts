import assert from 'node:assert/strict'
import { type AdapterTest, assertNewCookie, assertNoCookie, entriesOf } from './harness.ts'

/** One session in one request, and two kinds of sessions in one application. */
export function companyTests(test: AdapterTest): void {
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
