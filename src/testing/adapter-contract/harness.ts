import assert from 'node:assert/strict'
import { createSessions } from '../../create-sessions.ts'
import type { SessionOpener } from '../../http/exchange.ts'
import type { Sessions } from '../../sessions.ts'
import type { SessionStore } from '../../store/session-store.ts'
import type { OpenApplication } from './application.ts'
import { type Answer, Browser } from './browser.ts'
import { ControlledStore } from './controlled-store.ts'
import { UrlScript } from './url-script.ts'

/** A running application, with everything a test sees of it and does to it. */
export interface Stage {
  readonly sessions: Sessions
  readonly store: ControlledStore
  readonly script: UrlScript
  /** A client without cookies. */
  visitor(): Browser
  /** A client whose session is stored, with `kept` as the value of `old`. */
  regular(): Promise<Browser>
}

/** Declares one test: a sentence of behaviour, and what shows it on an application of its own. */
export type AdapterTest = (sentence: string, body: (stage: Stage) => Promise<void>) => void

/** Runs a test's body on an application that is started for it, and stopped after it. */
export async function onStage(
  openApplication: OpenApplication,
  openStore: () => SessionStore,
  body: (stage: Stage) => Promise<void>,
  opened: (sessions: Sessions) => SessionOpener = (sessions) => sessions,
): Promise<void> {
  const store = new ControlledStore(openStore())
  const limits = { valueBytes: 65_536, sessionBytes: 65_536 }
  const sessions = createSessions({ store: store.store, limits, log: false })
  const cookie = { name: '__Host-other' }
  const others = createSessions({ store: openStore(), cookie, log: false })
  const script = new UrlScript()
  const application = await openApplication({
    sessions: opened(sessions) as Sessions,
    others,
    script,
  })
  const browsers: Browser[] = []
  const visitor = (): Browser => {
    const browser = new Browser(application.origin)
    browsers.push(browser)
    return browser
  }
  try {
    await body({
      sessions,
      store,
      script,
      visitor,
      async regular() {
        const browser = visitor()
        await browser.ask('/change?set=old:kept')
        assert.ok(browser.cookie(), 'a first value gives the visitor a cookie')
        store.calls.splice(0)
        return browser
      },
    })
  } finally {
    for (const browser of browsers) browser.close()
    await application.close()
    await sessions.close()
    await others.close()
  }
}

/** What `/use` tells of a session. */
export function holdingsOf(answer: Answer): { userId: string | null; entries: unknown } {
  assert.equal(answer.status, 200, answer.text)
  return JSON.parse(answer.text)
}

/** The entries that a client's session has at its next request. */
export async function entriesOf(browser: Browser): Promise<unknown> {
  return holdingsOf(await browser.ask('/use')).entries
}

/** Holds that a response says nothing of the session. */
export function assertSilent(answer: Pick<Answer, 'lines'>): void {
  assert.deepEqual(answer.lines('set-cookie'), [])
  assert.ok(!varyNames(answer).includes('Cookie'), 'Vary does not name Cookie')
  assert.doesNotMatch(answer.lines('cache-control').join(), /no-store/)
}

/** Holds that a response depends on the session and leaves the client's cookie as it is. */
export function assertNoCookie(answer: Pick<Answer, 'lines'>): void {
  assert.deepEqual(answer.lines('set-cookie'), [])
  assertVaries(answer)
}

/** Holds that a response gives the client exactly one new cookie, and is kept by no cache. */
export function assertNewCookie(answer: Pick<Answer, 'lines'>): void {
  const ours = answer.lines('set-cookie').filter((line) => line.startsWith('__Host-id='))
  assert.equal(ours.length, 1, 'one line of Set-Cookie')
  assert.match(ours[0] ?? '', /^__Host-id=[^;]+; /)
  assert.deepEqual(answer.lines('cache-control'), ['no-store'])
  assertVaries(answer)
}

function assertVaries(answer: Pick<Answer, 'lines'>): void {
  const names = varyNames(answer)
  assert.deepEqual(
    names.filter((name) => name === 'Cookie'),
    ['Cookie'],
    'Vary names Cookie once',
  )
}

/** What a response says that it depends on: the framework may add names of its own. */
export function varyNames(answer: Pick<Answer, 'lines'>): string[] {
  return answer.lines('vary').flatMap((line) => line.split(/,\s*/))
}
