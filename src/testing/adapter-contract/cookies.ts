import assert from 'node:assert/strict'
import { ownHeaders } from './application.ts'
import type { Answer } from './browser.ts'
import {
  type AdapterTest,
  assertNewCookie,
  assertNoCookie,
  entriesOf,
  holdingsOf,
  varyNames,
} from './harness.ts'

/** When a cookie is sent, and what else the response then says. */
export function cookieTests(test: AdapterTest): void {
  kindTests(test)
  tokenTests(test)
  ownHeaderTests(test)
}

/** Ways of answering, with what their responses are beside the session. */
const KINDS: readonly { route: string; isRight(answer: Answer): void }[] = [
  {
    route: '/change',
    isRight: ({ status, text }) => assert.deepEqual([status, text], [200, 'changed']),
  },
  { route: '/json', isRight: ({ text }) => assert.deepEqual(JSON.parse(text), { changed: true }) },
  {
    route: '/redirect',
    isRight({ status, lines }) {
      assert.equal(status, 302)
      assert.match(lines('location').join(), /\/use$/)
    },
  },
  { route: '/empty', isRight: ({ status, text }) => assert.deepEqual([status, text], [204, '']) },
  {
    route: '/tagged',
    isRight({ status, lines, text }) {
      assert.deepEqual([status, lines('etag'), text], [200, ['"v1"'], 'tagged'])
    },
  },
]

function kindTests(test: AdapterTest): void {
  for (const { route, isRight } of KINDS) {
    test(`sends the cookie of a first value with ${route}, and none with the second`, async ({
      visitor,
    }) => {
      const browser = visitor()
      const first = await browser.ask(`${route}?set=a:1`)
      isRight(first)
      assertNewCookie(first)
      const second = await browser.ask(`${route}?set=b:2`)
      isRight(second)
      assertNoCookie(second)
      assert.doesNotMatch(second.lines('cache-control').join(), /no-store/)
      assert.deepEqual(await entriesOf(browser), { a: '1', b: '2' })
    })
  }

  test('sends the cookie with a 304', async ({ visitor }) => {
    const browser = visitor()
    const headers = { 'if-none-match': '"v1"' }
    const answer = await browser.ask('/tagged?set=a:1', { headers })
    assert.deepEqual([answer.status, answer.text], [304, ''])
    assertNewCookie(answer)
    assertNoCookie(await browser.ask('/tagged?set=b:2', { headers }))
    assert.deepEqual(await entriesOf(browser), { a: '1', b: '2' })
  })

  test('answers HEAD with the head of GET, and saves', async ({ visitor }) => {
    const browser = visitor()
    const answer = await browser.ask('/change?set=a:1', { method: 'HEAD' })
    assert.deepEqual([answer.status, answer.text], [200, ''])
    assertNewCookie(answer)
    assertNoCookie(await browser.ask('/change?set=b:2', { method: 'HEAD' }))
    assert.deepEqual(await entriesOf(browser), { a: '1', b: '2' })
  })
}

function tokenTests(test: AdapterTest): void {
  test('protects the cookie by its attributes', async ({ visitor }) => {
    const answer = await visitor().ask('/change?set=a:1')
    const [, ...attributes] = answer.lines('set-cookie').join().split('; ')
    // Some frameworks write the line themselves, in an order and a spelling of their own.
    const known = attributes.map((attribute) => attribute.toLowerCase()).sort()
    assert.deepEqual(known, ['httponly', 'path=/', 'samesite=lax', 'secure'])
  })

  test('finds the session beside other cookies of its name, wherever they stand', async ({
    regular,
  }) => {
    const browser = await regular()
    const own = `__Host-id=${browser.cookie()}`
    const other = '__Host-id=planted'
    for (const cookie of [`${other}; ${own}`, `${own}; ${other}`, `${other}; ${own}; ${other}`]) {
      const answer = await browser.ask('/use', { headers: { cookie } })
      assert.deepEqual(holdingsOf(answer).entries, { old: 'kept' }, cookie)
    }
  })

  test('sends a new token on rotate, after which the old one is dead', async ({ regular }) => {
    const browser = await regular()
    const thief = browser.twin()
    assertNewCookie(await browser.ask('/change?rotate'))
    assert.deepEqual(await entriesOf(browser), { old: 'kept' })
    assert.deepEqual(await entriesOf(thief), {})
    thief.close()
  })

  test('sends a new token on sign-in, after which the old one is dead', async ({ regular }) => {
    const browser = await regular()
    const thief = browser.twin()
    const answer = await browser.ask('/use?signIn=ann')
    assert.deepEqual(holdingsOf(answer), { userId: 'ann', entries: { old: 'kept' } })
    assertNewCookie(answer)
    assert.equal(holdingsOf(await thief.ask('/use')).userId, null)
    assert.equal(holdingsOf(await browser.ask('/use')).userId, 'ann')
    thief.close()
  })

  test('begins a new session on clear', async ({ regular }) => {
    const browser = await regular()
    const thief = browser.twin()
    assertNewCookie(await browser.ask('/change?clear&set=a:1'))
    assert.deepEqual(await entriesOf(browser), { a: '1' })
    assert.deepEqual(await entriesOf(thief), {})
    thief.close()
  })

  for (const [what, path] of [
    ['destroy', '/change?destroy'],
    ['sign-out', '/use?signOut'],
  ] as const) {
    test(`takes the cookie away on ${what}, and ends the session`, async ({ regular }) => {
      const browser = await regular()
      const thief = browser.twin()
      const answer = await browser.ask(path)
      assert.match(answer.lines('set-cookie').join(), /^__Host-id=; .*Max-Age=0/)
      assert.equal(browser.cookie(), undefined)
      assert.deepEqual(answer.lines('cache-control'), ['no-store'])
      assert.deepEqual(await entriesOf(thief), {})
      thief.close()
    })
  }
}

function ownHeaderTests(test: AdapterTest): void {
  test("keeps the route's own headers when it sends no cookie", async ({ regular }) => {
    const browser = await regular()
    const { lines } = await browser.ask('/headed?set=a:1')
    assert.deepEqual(lines('set-cookie'), ownHeaders['Set-Cookie'])
    assert.deepEqual(lines('cache-control'), [ownHeaders['Cache-Control']])
    assert.deepEqual(lines('cdn-cache-control'), [ownHeaders['CDN-Cache-Control']])
    assertVariesByBoth({ lines })
    assert.deepEqual(await entriesOf(browser), { old: 'kept', a: '1' })
  })

  test("adds its cookie to the route's own, and keeps every cache away", async ({ visitor }) => {
    const answer = await visitor().ask('/headed?set=a:1')
    assertNewCookie(answer)
    const others = answer.lines('set-cookie').filter((line) => !line.startsWith('__Host-id='))
    assert.deepEqual(others, ownHeaders['Set-Cookie'])
    assert.deepEqual(answer.lines('cdn-cache-control'), [])
    assertVariesByBoth(answer)
  })

  test('keeps every cache away from its cookie, whatever says otherwise after it', async ({
    visitor,
  }) => {
    const browser = visitor()
    const first = await browser.ask('/cached?set=a:1')
    assert.equal(first.text, 'cached')
    assertNewCookie(first)
    const second = await browser.ask('/cached?set=b:2')
    assertNoCookie(second)
    assert.deepEqual(second.lines('cache-control'), [ownHeaders['Cache-Control']])
  })

  test("adds to the route's own Vary when the session is only read", async ({ regular }) => {
    const answer = await (await regular()).ask('/headed?load')
    assertVariesByBoth(answer)
    assert.deepEqual(answer.lines('cache-control'), [ownHeaders['Cache-Control']])
  })
}

function assertVariesByBoth(answer: Pick<Answer, 'lines'>): void {
  const names = varyNames(answer).filter((name) => name === 'Accept' || name === 'Cookie')
  assert.deepEqual(names, ['Accept', 'Cookie'])
}
