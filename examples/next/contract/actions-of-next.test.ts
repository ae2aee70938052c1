import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { MemoryStore, StoreUnavailableError } from 'pg-sessions'
import { closeAll } from './application.ts'
import { type Guest, seenIn, withGuest } from './guest.ts'

after(async () => {
  await closeAll()
  // Next leaves things open that would keep the process.
  setTimeout(() => process.exit(), 1000).unref()
})

/** Sends the form of an action as a browser does before any script has loaded. */
async function submit(guest: Guest, action: string, key = ''): Promise<Response> {
  const body = new FormData()
  body.set(`$ACTION_ID_${await idOf(guest, action)}`, '')
  body.set('key', key)
  return guest.ask('/acted', { method: 'POST', body })
}

/** Calls an action as the script of a page does. */
async function call(guest: Guest, action: string): Promise<Response> {
  const headers = { 'next-action': await idOf(guest, action), accept: 'text/x-component' }
  return guest.ask('/acted', { method: 'POST', body: '[]', headers })
}

async function idOf(guest: Guest, action: string): Promise<string> {
  const page = await (await guest.ask('/acted')).text()
  const [, form = ''] = page.split(`data-act="${action}"`)
  const [, id = ''] = /\$ACTION_ID_([0-9a-f]+)/.exec(form) ?? []
  return id
}

describe('Server Actions of Next', () => {
  for (const action of ['set', 'setWithin']) {
    it(`send the cookie with redirect(), whose page finds what was set: ${action}`, () =>
      withGuest(async (guest) => {
        const answer = await submit(guest, action, 'clicks')
        assert.equal(answer.status, 303)
        assert.equal(answer.headers.get('location'), '/acted')
        assert.match(answer.headers.getSetCookie().join(), /^__Host-id=[^;]+;/)
        const page = await (await guest.ask('/acted')).text()
        assert.deepEqual(seenIn(page), { userId: null, entries: { clicks: true } })
        const again = await submit(guest, action, 'visits')
        assert.deepEqual(again.headers.getSetCookie(), [])
        assert.deepEqual(await guest.holdings(), {
          userId: null,
          entries: { clicks: true, visits: true },
        })
      }))
  }

  it('render their page with what they have set, before the browser has the cookie', () =>
    withGuest(async (guest) => {
      const answer = await submit(guest, 'stay', 'clicks')
      assert.equal(answer.headers.getSetCookie().length, 1)
      assert.deepEqual(seenIn(await answer.text()), { userId: null, entries: { clicks: true } })
    }))

  for (const [how, send] of [
    ['as a form', submit],
    ['from a script', call],
  ] as const) {
    it(`render their page for whom they have signed in, sent ${how}`, () =>
      withGuest(async (guest) => {
        await guest.ask('/use?set=basket')
        const answer = await send(guest, 'signIn')
        assert.equal(answer.status, 200)
        assert.match(answer.headers.getSetCookie().join(), /^__Host-id=[^;]+;/)
        assert.match(await answer.text(), /userId\W+ann/)
        assert.deepEqual(await guest.holdings(), { userId: 'ann', entries: { basket: true } })
      }))

    it(`send the cookie of a sign-in with the error that follows it, sent ${how}`, () =>
      withGuest(async (guest) => {
        await guest.ask('/use?set=basket')
        const answer = await send(guest, 'signInAndFail')
        assert.equal(answer.status, 500)
        assert.equal(answer.headers.getSetCookie().length, 1)
        assert.deepEqual(await guest.holdings(), { userId: 'ann', entries: { basket: true } })
      }))
  }

  for (const action of ['fail', 'failWithin']) {
    it(`send no cookie and store nothing of a visitor when they throw: ${action}`, () =>
      withGuest(async (guest, sessions) => {
        const failed = new Promise((resolve) => sessions.on('lateSaveFailed', resolve))
        const answer = await submit(guest, action, 'clicks')
        assert.equal(answer.status, 500)
        assert.deepEqual(answer.headers.getSetCookie(), [])
        await failed
        assert.deepEqual(await sessions.count(), { live: 0, expired: 0 })
      }))

    it(`save what they set in a stored session before they throw: ${action}`, () =>
      withGuest(async (guest) => {
        await guest.ask('/use?set=old')
        const answer = await submit(guest, action, 'clicks')
        assert.deepEqual([answer.status, answer.headers.getSetCookie()], [500, []])
        // It is saved after the response.
        const expected = { userId: null, entries: { old: true, clicks: true } }
        while (!isDeepStrictEqual(await guest.holdings(), expected)) await setImmediate()
      }))
  }

  for (const action of ['set', 'setWithin']) {
    it(`fail without a cookie when the save fails: ${action}`, async () => {
      const store = new MemoryStore()
      const away = new StoreUnavailableError('The store is away.', 'none')
      store.create = () => Promise.reject(away)
      await withGuest(
        async (guest) => {
          const answer = await submit(guest, action, 'clicks')
          assert.equal(answer.status, 500)
          assert.equal(answer.headers.get('location'), null)
          assert.deepEqual(answer.headers.getSetCookie(), [])
        },
        {},
        store,
      )
    })

    it(`keep all of 50 keys that as many of them set at once: ${action}`, () =>
      withGuest(async (guest) => {
        await guest.ask('/use?set=old')
        const keys = Array.from({ length: 50 }, (_, index) => `key ${index}`)
        const answers = await Promise.all(keys.map((key) => submit(guest, action, key)))
        assert.deepEqual([...new Set(answers.map(({ status }) => status))], [303])
        const entries = Object.fromEntries(['old', ...keys].map((key) => [key, true]))
        assert.deepEqual(await guest.holdings(), { userId: null, entries })
      }))
  }
})
