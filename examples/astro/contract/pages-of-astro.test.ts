import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { type Session, StoreUnavailableError } from 'pg-sessions'
import { type Circumstances, onStage, type Stage, thrown } from './stage.ts'

const away = new StoreUnavailableError('The store is away.', 'none')

function test(
  sentence: string,
  body: (stage: Stage) => Promise<void>,
  circumstances: Circumstances = {},
): void {
  it(sentence, () => onStage(circumstances, body))
}

describe('cookies of Astro', () => {
  test('are kept beside the one of the session', async ({ ask }) => {
    const answer = await ask('/page?theme')
    assert.deepEqual(answer.cookies, ['__Host-id', 'theme'])
    assert.equal(answer.headers.get('cache-control'), 'no-store')
    assert.deepEqual((await ask('/page?theme')).cookies, ['theme'])
  })

  test('are kept when other middleware copies the response', async ({ ask }) => {
    assert.deepEqual((await ask('/page?theme&copied')).cookies, ['__Host-id', 'theme'])
  })

  test('are kept on a response whose headers cannot be changed', async ({ ask }) => {
    const answer = await ask('/page?theme&away')
    assert.equal(answer.status, 302)
    assert.deepEqual(answer.cookies, ['__Host-id', 'theme'])
  })
})

describe('rewrites of Astro', () => {
  for (const [how, query] of [
    ['of a page', 'rewrite'],
    ['of middleware', 'nextAt'],
  ] as const) {
    test(`keep the session and all cookies when they are ${how}`, async ({ ask, store }) => {
      const { text, cookies } = await ask(`/page?theme&${query}=/rewritten`)
      assert.match(text, /"rewritten":"\/page\/"/)
      const isOfPage = query === 'rewrite'
      assert.deepEqual(cookies, isOfPage ? ['__Host-id', 'lang', 'theme'] : ['__Host-id', 'lang'])
      assert.equal((await store.count()).live, 1)
      const { entries } = await entriesOf(ask)
      assert.deepEqual(entries, { ...(isOfPage && { clicks: 1 }), rewritten: '/page/' })
    })
  }

  test(
    'are answered with an error when the save fails',
    async ({ ask, errors }) => {
      const answer = await ask('/page?theme&rewrite=/rewritten')
      assert.deepEqual([answer.status, answer.text], [503, 'error page'])
      assert.deepEqual(errors, [away])
      assert.ok(!answer.cookies.includes('__Host-id'))
    },
    { away },
  )
})

describe('error pages of Astro', () => {
  test('carry the cookie of a page that was not found once, and forbid storing', async ({
    ask,
  }) => {
    const answer = await ask('/passed-on')
    assert.deepEqual([answer.status, answer.text], [404, 'not found'])
    assert.deepEqual(answer.cookies, ['__Host-id'])
    assert.equal(answer.headers.get('cache-control'), 'no-store')
    assert.equal(answer.headers.get('vary'), 'Cookie')
    assert.deepEqual((await entriesOf(ask)).entries, { clicks: 1 })
  })

  test('save what 404.astro sets, before and after others have', async ({ ask }) => {
    assert.deepEqual((await ask('/nowhere/at/all?onNotFound=first')).cookies, ['__Host-id'])
    assert.deepEqual((await ask('/passed-on?onNotFound=then')).cookies, [])
    assert.deepEqual((await entriesOf(ask)).entries, { seen: 'then', clicks: 1 })
  })

  test('send the first cookie with what 404.astro sets after a page has passed on', async ({
    ask,
  }) => {
    assert.deepEqual((await ask('/passed-on?onNotFound=yes')).cookies, ['__Host-id'])
    assert.deepEqual((await entriesOf(ask)).entries, { seen: 'yes', clicks: 1 })
  })

  test(
    'begin the session in 404.astro, after the page that has passed on was done',
    async ({ ask }) => {
      const answer = await ask('/passed-on?public&onNotFound=yes')
      assert.deepEqual(answer.cookies, ['__Host-id'])
      assert.equal(answer.headers.get('cache-control'), 'no-store')
      assert.deepEqual((await entriesOf(ask)).entries, { seen: 'yes' })
    },
    { change: () => undefined },
  )

  test('carry the cookie when middleware before ours throws', async ({ ask, errors }) => {
    const answer = await ask('/change?fails')
    assert.equal(answer.status, 500)
    assert.deepEqual(errors, [thrown])
    assert.deepEqual(answer.cookies, ['__Host-id'])
  })

  test(
    'are shown by Astro when onError throws, with the status of the error',
    async ({ ask, errors }) => {
      const answer = await ask('/change?toAstro')
      assert.deepEqual([answer.status, answer.text], [503, 'error page'])
      assert.deepEqual(errors, [away])
      assert.deepEqual(answer.cookies, [])
    },
    { away },
  )

  test('save what 500.astro sets', async ({ ask }) => {
    const answer = await ask('/throw?onError')
    assert.deepEqual([answer.status, answer.text], [500, 'error page'])
    assert.deepEqual(answer.cookies, ['__Host-id'])
    assert.deepEqual((await entriesOf(ask)).entries, { clicks: 2 })
  })
})

describe('actions of Astro', () => {
  test('are saved before the page that follows a form', async ({ ask }) => {
    const form = { method: 'POST', body: new FormData() }
    const answer = await ask('/page?_action=byForm', form)
    assert.deepEqual([answer.status, answer.text], [200, '{"clicks":1}'])
    assert.deepEqual(answer.cookies, ['__Host-id'])
  })

  test('are saved before a call is answered', async ({ ask }) => {
    assert.deepEqual((await ask('/_actions/byCall', call)).cookies, ['__Host-id'])
    assert.deepEqual((await entriesOf(ask)).entries, { clicks: 1 })
  })

  test(
    'fail when the save does',
    async ({ ask }) => {
      const answer = await ask('/_actions/byCall', call)
      assert.deepEqual([answer.status, answer.cookies], [503, []])
    },
    { away },
  )
})

const call: RequestInit = {
  method: 'POST',
  body: '{}',
  headers: { 'content-type': 'application/json' },
}

describe('the cache of Astro', () => {
  test('is told not to keep a response that sets the cookie', async ({ ask }) => {
    const answer = await ask('/page?cached')
    assert.deepEqual(answer.cookies, ['__Host-id'])
    assert.equal(answer.headers.get('cache-control'), 'no-store')
    assert.equal(answer.headers.get('cdn-cache-control'), null)
  })

  test(
    'goes its way otherwise',
    async ({ ask }) => {
      assert.equal((await ask('/page?cached')).headers.get('cdn-cache-control'), 'max-age=60')
    },
    { change: () => undefined },
  )
})

describe('components of Astro', () => {
  const afterHead = (): Circumstances => {
    let passGate = (): void => undefined
    const gate = new Promise<void>((pass) => {
      passGate = pass
    })
    const late = async (session: Session): Promise<string> => {
      await gate
      await session.load()
      try {
        session.set('clicks', 2)
        return 'changed'
      } catch (error) {
        return String(Reflect.get(Object(error), 'code'))
      }
    }
    return { late, onHead: () => passGate() }
  }

  test(
    'are saved while the page streams',
    async ({ ask }) => {
      await ask('/change')
      const { text, cookies } = await ask('/streamed')
      assert.match(text, /changed/)
      assert.deepEqual(cookies, [])
      // It is saved soon after; a test that waits for ever fails.
      while (!isDeepStrictEqual((await entriesOf(ask)).entries, { clicks: 2 }));
    },
    afterHead(),
  )

  test(
    'are refused the first value of a visitor while the page streams',
    async ({ ask, store }) => {
      const { text, cookies } = await ask('/streamed')
      assert.match(text, /ERR_RESPONSE_STARTED/)
      assert.deepEqual(cookies, [])
      assert.equal((await store.count()).live, 0)
    },
    afterHead(),
  )
})

describe('prerendered pages', () => {
  const built = new URL('app/dist/client/prerendered/index.html', import.meta.url)

  it('have no session, and say so', async () => {
    const page = await readFile(built, 'utf8')
    assert.match(page, /ConfigurationError: .*prerender = false/)
  })

  test('have one in components with server:defer', async ({ ask }) => {
    await ask('/change')
    const [, path = ''] = /fetch\("(\/[^"]+)"/.exec(await readFile(built, 'utf8')) ?? []
    const { status, text, headers } = await ask(path)
    assert.deepEqual([status, headers.get('vary')], [200, 'Cookie'])
    assert.match(text, /Hello, stranger\./)
  })
})

describe('locals', () => {
  const shared = {}

  test(
    'that several requests share are refused, since everybody would have one session',
    async ({ ask, errors }) => {
      assert.deepEqual((await ask('/change')).cookies, ['__Host-id'])
      for (const path of ['/use', '/use', '/nowhere/at/all', '/passed-on']) {
        const { status, cookies, text } = await ask(path, { headers: { cookie: '' } })
        assert.ok(status >= 404, `${path} ${status}`)
        assert.deepEqual([cookies, errors], [[], []])
        assert.doesNotMatch(text, /clicks/)
      }
    },
    { localsOf: () => shared },
  )

  test(
    'of a server around it are welcome otherwise',
    async ({ ask }) => {
      await ask('/change')
      assert.deepEqual((await entriesOf(ask)).entries, { clicks: 1 })
    },
    { localsOf: () => ({}) },
  )
})

async function entriesOf(ask: Stage['ask']): Promise<{ entries: unknown }> {
  return JSON.parse((await ask('/use')).text)
}
