import assert from 'node:assert/strict'
import { StoreUnavailableError } from '../../errors.ts'
import type { Answer } from './browser.ts'
import {
  type AdapterTest,
  assertNewCookie,
  assertNoCookie,
  entriesOf,
  type Stage,
} from './harness.ts'

const ROUTES = ['/change', '/json', '/redirect', '/empty', '/tagged', '/headed', '/stream'] as const

/** The response waits for the save, and becomes an error when the save fails. */
export function savingTests(test: AdapterTest, { raw }: { readonly raw: boolean }): void {
  for (const route of raw ? [...ROUTES, '/raw'] : ROUTES) {
    test(`lets nothing of ${route} leave before the save is done`, (stage) => waits(stage, route))
    test(`answers with an error instead of ${route} when the save fails`, (stage) =>
      fails(stage, route))
  }

  test('lets a redirect find what was set before it, whether or not it is the first', async ({
    visitor,
  }) => {
    const browser = visitor()
    for (const [query, expected] of [
      ['set=a:1', { a: '1' }],
      ['set=b:2', { a: '1', b: '2' }],
    ] as const) {
      const redirect = await browser.ask(`/redirect?${query}`)
      const target = await browser.ask(redirect.lines('location').join())
      assert.deepEqual(JSON.parse(target.text).entries, expected)
    }
  })

  test('holds the response of a stored session as well', async ({ regular, store }) => {
    const browser = await regular()
    const call = store.hold('save')
    const redirect = browser.begin('/redirect?set=a:1')
    await call.reached
    await browser.ask('/untouched')
    assert.equal(redirect.hasHead, false)
    call.release()
    assert.equal((await redirect.answer).status, 302)
  })

  kindTests(test)
}

async function waits({ visitor, store }: Stage, route: string): Promise<void> {
  const browser = visitor()
  const call = store.hold('create')
  const asking = browser.begin(`${route}?set=a:1`)
  await call.reached
  // The answers of other requests leave meanwhile, so this one had every chance to.
  for (let turn = 0; turn < 3; turn += 1) await browser.ask('/untouched')
  assert.equal(asking.hasHead, false)
  call.release()
  assertNewCookie(await asking.answer)
  assert.deepEqual(await entriesOf(browser), { a: '1' })
}

async function fails({ visitor, store, script }: Stage, route: string): Promise<void> {
  const error = new StoreUnavailableError('The store is away.', 'none')
  store.fail('create', error)
  const browser = visitor()
  const answer = await browser.ask(`${route}?set=a:1`)
  assertErrorPage(answer, 503)
  if (route !== '/raw') assert.deepEqual(script.errors, [error])
  assert.deepEqual(await entriesOf(browser), {})
  assertNewCookie(await browser.ask(`${route}?set=b:2`))
  assert.deepEqual(await entriesOf(browser), { b: '2' })
}

/** Holds that nothing of the route's own response is left, and that no cookie was sent. */
function assertErrorPage(answer: Answer, status: number): void {
  assert.equal(answer.status, status)
  assertNoCookie(answer)
  assert.doesNotMatch(answer.text, /changed|tagged|headed|raw/)
  assert.ok(answer.body.length < 1000, 'no stream')
  assert.doesNotMatch(answer.lines('cache-control').join(), /public/)
  assert.deepEqual(answer.lines('location'), [])
  assert.notDeepEqual(answer.lines('etag'), ['"v1"'])
}

function kindTests(test: AdapterTest): void {
  test('answers 409 when the session has ended meanwhile', async ({ regular, store, sessions }) => {
    const browser = await regular()
    await browser.ask('/use?signIn=ann')
    const call = store.hold('save')
    const asking = browser.begin('/change?set=a:1')
    await call.reached
    await sessions.destroyByUser('ann')
    call.release()
    assertErrorPage(await asking.answer, 409)
    assert.deepEqual(await entriesOf(browser), {})
  })

  test('answers 413 when the session would become too large', async ({ regular }) => {
    const browser = await regular()
    assertErrorPage(await browser.ask('/change?fill=2'), 413)
    assert.deepEqual(await entriesOf(browser), { old: 'kept' })
    assertErrorPage(await browser.ask('/change?clear&fill=2'), 413)
    assert.deepEqual(await entriesOf(browser), { old: 'kept' })
  })

  test('answers 503 when the session cannot be read', async ({ regular, store, script }) => {
    const browser = await regular()
    const error = new StoreUnavailableError('The store is away.', 'none')
    store.fail('load', error)
    assertErrorPage(await browser.ask('/use'), 503)
    assert.deepEqual(script.errors, [error])
    assert.deepEqual(await entriesOf(browser), { old: 'kept' })
  })

  test('keeps what was stored when a save fails', async ({ regular, store }) => {
    const browser = await regular()
    store.fail('save', new StoreUnavailableError('The store is away.', 'unknown'))
    assertErrorPage(await browser.ask('/headed?set=old:lost'), 503)
    assert.deepEqual(await entriesOf(browser), { old: 'kept' })
  })

  test('lets an error page change the session again, without going in circles', async ({
    visitor,
    store,
    script,
  }) => {
    const browser = visitor()
    const error = new StoreUnavailableError('The store is away.', 'none')
    store.fail('create', error)
    store.fail('create', error)
    const answer = await browser.ask('/change?set=a:1&onError=notice:sorry')
    assert.equal(answer.status, 503)
    assert.deepEqual(script.errors, [error])
    assertNoCookie(answer)
    assert.deepEqual(await entriesOf(browser), {})
  })
}
