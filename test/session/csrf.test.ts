import { expect, it } from 'vitest'
import { eachStore } from '../support/each-store.ts'

eachStore((open) => {
  it('takes the token of a form from its own session, in any of its masks, and no other', async () => {
    const { visitor } = await open()
    const [ann, eve] = [visitor(), visitor()]
    for (const browser of [ann, eve]) await browser.visit((session) => session.set('a', 1))
    const made = await ann.visit(async (session) => [
      await session.csrfToken(),
      await session.csrfToken(),
    ])
    expect(new Set(made).size).toBe(2)
    const others = await eve.visit((session) => session.csrfToken())
    await ann.visit(async (session) => {
      for (const token of made) expect(await session.isCsrfToken(token)).toBe(true)
      const flipped = Buffer.from(made[0] as string, 'base64url')
      flipped[40] = (flipped[40] ?? 0) ^ 1
      const wrong = [others, null, undefined, '', 7, 'x'.repeat(86), ann.token, made[0]?.slice(1)]
      for (const token of [...wrong, flipped.toString('base64url')]) {
        expect(await session.isCsrfToken(token)).toBe(false)
      }
    })
  })

  it('makes none for a visitor without a session, who can bring none either', async () => {
    const { visitor, stored } = await open()
    const ann = visitor()
    await ann.visit(async (session) => {
      expect(await session.csrfToken()).toBeNull()
      expect(await session.isCsrfToken(null)).toBe(false)
    })
    expect(await stored()).toBe(0)
  })

  it('changes with the token of the session: a form from before a sign-in does not count after it', async () => {
    const { visitor } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    const before = await ann.visit((session) => session.csrfToken())
    const after = await ann.visit(async (session) => {
      await session.signIn('ann')
      return session.csrfToken()
    })
    await ann.visit(async (session) => {
      expect(await session.isCsrfToken(before)).toBe(false)
      expect(await session.isCsrfToken(after)).toBe(true)
    })
  })

  it('belongs to the token that a page leaves with when that is due for renewal', async () => {
    const { visitor, elapse } = await open({ renewInterval: '10m' })
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    const cookie = ann.token
    await elapse(11 * 60_000)
    const token = await ann.visit((session) => session.csrfToken())
    expect(ann.token).not.toBe(cookie)
    expect(await ann.visit((session) => session.isCsrfToken(token))).toBe(true)
  })
})
