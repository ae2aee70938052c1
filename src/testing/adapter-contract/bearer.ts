import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { ownHeaders } from './application.ts'
import type { Answer, Browser } from './browser.ts'
import { type AdapterTest, holdingsOf, type Stage, varyNames } from './harness.ts'

const bearing = (token: string): Readonly<Record<string, string>> => ({
  authorization: `Bearer ${token}`,
})

/** What clients without cookies get: the adapter is given `bearerSessions(sessions)`. */
export function bearerTests(test: AdapterTest): void {
  test('give a new token once, in a header that no cache keeps, and set no cookie', async (stage) => {
    const { visitor } = stage
    const answer = await visitor().ask('/change?set=old:kept')
    const token = tokenOf(answer)
    const again = await visitor().ask('/use', { headers: bearing(token) })
    assert.deepEqual(holdingsOf(again).entries, { old: 'kept' })
    assert.deepEqual(again.lines('session-token'), [])
    assert.deepEqual(again.lines('set-cookie'), [])
    assert.deepEqual(again.lines('www-authenticate'), [])
    const names = varyNames(again).map((name) => name.toLowerCase())
    assert.ok(names.includes('authorization'), 'Vary names Authorization')
  })

  test('sign users in with a new token, after which the old one is dead', async (stage) => {
    const { visitor } = stage
    // The store may be one that other tests sign users in to.
    const user = randomUUID()
    const first = tokenOf(await visitor().ask('/change?set=old:kept'))
    const signedIn = await visitor().ask(`/use?signIn=${user}`, { headers: bearing(first) })
    const token = tokenOf(signedIn)
    const session = holdingsOf(await visitor().ask('/use', { headers: bearing(token) }))
    assert.deepEqual(session, { userId: user, entries: { old: 'kept' } })
    assert.equal((await stage.sessions.listByUser(user)).length, 1)
    const dead = await visitor().ask('/use', { headers: bearing(first) })
    assert.deepEqual(holdingsOf(dead).entries, {})
    assert.deepEqual(dead.lines('www-authenticate'), ['Bearer error="invalid_token"'])
    assert.equal(await stage.sessions.destroyByUser(user), 1)
    const ended = await visitor().ask('/use', { headers: bearing(token) })
    assert.deepEqual(holdingsOf(ended), { userId: null, entries: {} })
  })

  test('ask for a token where there is none, and take what is not a token for none', async ({
    visitor,
  }) => {
    const asked = await visitor().ask('/use')
    assert.deepEqual(asked.lines('www-authenticate'), ['Bearer'])
    const other = await visitor().ask('/use', { headers: { authorization: 'Basic YTpi' } })
    assert.deepEqual(other.lines('www-authenticate'), ['Bearer'])
    for (const token of ['', 'x', 'a b', 'x'.repeat(5000)]) {
      const answer = await visitor().ask('/use', { headers: bearing(token) })
      assert.deepEqual(holdingsOf(answer).entries, {})
      assert.deepEqual(answer.lines('www-authenticate'), ['Bearer error="invalid_token"'])
    }
  })

  test('take no token from a second Authorization', async ({ visitor }) => {
    const token = tokenOf(await visitor().ask('/change?set=old:kept'))
    const headers = { authorization: ['Basic YTpi', `Bearer ${token}`] }
    const answer = await visitor().ask('/use', { headers })
    assert.deepEqual(holdingsOf(answer), { userId: null, entries: {} })
  })

  test('leave a handler its own WWW-Authenticate', async ({ visitor }) => {
    const answer = await visitor().ask('/headed?load')
    assert.deepEqual(answer.lines('www-authenticate'), [ownHeaders['WWW-Authenticate']])
  })

  test('do not read cookies, and refuse a request with a cookie and a token', async (stage) => {
    const { visitor } = stage
    const token = tokenOf(await visitor().ask('/change?set=old:kept'))
    const cookie = `__Host-id=${token}`
    const alone = await visitor().ask('/use', { headers: { cookie } })
    assert.deepEqual(holdingsOf(alone).entries, {})
    const both = { cookie, ...bearing(token) }
    const refused = await visitor().ask('/use', { headers: both })
    assert.equal(refused.status, 400)
    await visitor().ask('/use?set=old:lost', { headers: both })
    assert.deepEqual(await entriesWith(stage, token), { old: 'kept' })
    const foreign = { cookie: 'theme=dark; __Host-id=other', ...bearing(token) }
    const passed = await visitor().ask('/use', { headers: foreign })
    assert.deepEqual(holdingsOf(passed).entries, { old: 'kept' })
  })

  test('cost nothing and say nothing where a request does not use its session', async ({
    visitor,
    store,
  }) => {
    const answer = await visitor().ask('/untouched', { headers: bearing('x') })
    assert.deepEqual(answer.lines('www-authenticate'), [])
    assert.deepEqual(store.calls, [])
  })
}

/** The token of a response that gives one. */
function tokenOf(answer: Answer): string {
  const [token, ...others] = answer.lines('session-token')
  assert.ok(token, 'a line of Session-Token')
  assert.deepEqual(others, [])
  assert.deepEqual(answer.lines('set-cookie'), [])
  assert.deepEqual(answer.lines('cache-control'), ['no-store'])
  return token
}

async function entriesWith({ visitor }: Stage, token: string): Promise<unknown> {
  const browser: Browser = visitor()
  return holdingsOf(await browser.ask('/use', { headers: bearing(token) })).entries
}
