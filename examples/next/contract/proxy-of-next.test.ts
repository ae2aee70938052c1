import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { MemoryStore } from 'pg-sessions'
import { closeAll } from './application.ts'
import { seenIn, withGuest } from './guest.ts'

after(async () => {
  await closeAll()
  // Next leaves things open that would keep the process.
  setTimeout(() => process.exit(), 1000).unref()
})

const ways = [
  ['by withSession', '/proxied/page'],
  ['by getSession', '/proxied/within'],
] as const

describe('proxy.ts of Next', () => {
  it('sends visitors elsewhere who are not signed in', () =>
    withGuest(async (guest) => {
      const stranger = await guest.ask('/proxied/guarded')
      assert.equal(stranger.status, 307)
      assert.match(stranger.headers.get('location') ?? '', /\/use$/)
      await guest.ask('/use?signIn=ann')
      const known = await guest.ask('/proxied/guarded')
      assert.deepEqual(seenIn(await known.text()), { userId: 'ann', entries: {} })
    }))

  for (const [how, path] of ways) {
    it(`changes a stored session, and the page sees it, ${how}`, () =>
      withGuest(async (guest) => {
        await guest.ask('/use?set=old')
        const answer = await guest.ask(`${path}?set=clicks`)
        assert.deepEqual(answer.headers.getSetCookie(), [])
        const expected = { userId: null, entries: { old: true, clicks: true } }
        assert.deepEqual(seenIn(await answer.text()), expected)
        assert.deepEqual(await guest.holdings(), expected)
      }))

    it(`sends a new cookie with the page, which does not see it yet, ${how}`, () =>
      withGuest(async (guest) => {
        await guest.ask('/use?set=old')
        const answer = await guest.ask(`${path}?signIn=ann`)
        assert.equal(answer.headers.getSetCookie().length, 1)
        assert.deepEqual(seenIn(await answer.text()), { userId: null, entries: {} })
        assert.deepEqual(await guest.holdings(), { userId: 'ann', entries: { old: true } })
      }))
  }

  it('renews a token that is due, and the page is rendered with the one before', async () => {
    let now = Date.now()
    const store = new MemoryStore({ now: () => now })
    await withGuest(
      async (guest) => {
        await guest.ask('/use?signIn=ann')
        now += 61 * 60_000
        const { cookie } = guest
        const answer = await guest.ask('/proxied/page')
        assert.equal(answer.headers.getSetCookie().length, 1)
        assert.notEqual(guest.cookie, cookie)
        assert.deepEqual(seenIn(await answer.text()), { userId: 'ann', entries: {} })
        assert.deepEqual(await guest.holdings(), { userId: 'ann', entries: {} })
      },
      { renewInterval: '1h', idleTimeout: '1d' },
      store,
    )
  })
})
