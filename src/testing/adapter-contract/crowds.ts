import assert from 'node:assert/strict'
import { type AdapterTest, entriesOf, holdingsOf } from './harness.ts'

const USERS = 20
const VISITS = 50

/** Many requests at once: each has a session of its own, and none loses a change. */
export function crowdTests(test: AdapterTest): void {
  test('keeps 50 keys that 50 parallel requests set', async ({ regular }) => {
    const browser = await regular()
    const keys = Array.from({ length: 50 }, (_, index) => `key ${index}`)
    await Promise.all(keys.map((key) => browser.ask(`/change?set=${key}:${key}`)))
    const expected = Object.fromEntries(keys.map((key) => [key, key]))
    assert.deepEqual(await entriesOf(browser), { old: 'kept', ...expected })
  })

  test('counts to 50 with 50 parallel requests', async ({ regular }) => {
    const browser = await regular()
    await Promise.all(Array.from({ length: 50 }, () => browser.ask('/use?count=visits')))
    assert.deepEqual(await entriesOf(browser), { old: 'kept', visits: 50 })
  })

  test('never shows one user the data of another in 1000 interleaved requests', async ({
    visitor,
  }) => {
    const users = Array.from({ length: USERS }, (_, index) => `user${index}`)
    const browsers = await Promise.all(
      users.map(async (user) => {
        const browser = visitor()
        await browser.ask(`/use?signIn=${user}&set=name:${user}`)
        return { user, browser }
      }),
    )
    const visit = async (turn: number): Promise<void> => {
      await Promise.all(
        browsers.map(async ({ user, browser }, index) => {
          const pauses = '&pause'.repeat((turn + index) % 4)
          const { userId, entries } = holdingsOf(
            await browser.ask(`/use?count=visits&set=turn${turn % 5}:${user}${pauses}`),
          )
          assert.equal(userId, user)
          const { visits: _, ...rest } = entries as Record<string, unknown>
          for (const value of Object.values(rest)) assert.equal(value, user)
        }),
      )
    }
    // Ten turns at a time: 200 requests in flight, of which the clients let 50 each through.
    for (let turn = 0; turn < VISITS; turn += 10) {
      await Promise.all(Array.from({ length: 10 }, (_, next) => visit(turn + next)))
    }
    for (const { user, browser } of browsers) {
      const { userId, entries } = holdingsOf(await browser.ask('/use'))
      const turns = Array.from({ length: 5 }, (_, turn) => [`turn${turn}`, user])
      const expected = { name: user, visits: VISITS, ...Object.fromEntries(turns) }
      assert.deepEqual([userId, entries], [user, expected])
    }
  })
}
