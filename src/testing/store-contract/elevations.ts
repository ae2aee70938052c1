import assert from 'node:assert/strict'
import type { SessionRecord } from '../../store/session-store.ts'
import type { StoreTest } from './harness.ts'
import {
  assertClose,
  assertWithin,
  begin,
  changeOf,
  inParallel,
  MINUTE,
  randomHash,
  recordOf,
  rotation,
  save,
} from './samples.ts'

/** Second factors that users have proved. A store that keeps none lacks `keepsFactors`. */
export function elevationTests(test: StoreTest): void {
  const elevationTest = (name: string, body: Parameters<StoreTest>[1]): void =>
    test(name, async (harness) => {
      if (harness.store.keepsFactors === true) await body(harness)
    })

  elevationTest(
    'keeps a factor with its time, over new tokens and other changes',
    async ({ store, elapse }) => {
      const session = await begin(store, { userId: 'ann' })
      assert.equal(elevationOf(await recordOf(store, session)), undefined)
      await elapse(MINUTE)
      const to = randomHash()
      const credentials = { ...rotation(session.secretHash, to), factor: 'totp' }
      const { times } = await save(store, session, { credentials })
      const elevation = elevationOf(await recordOf(store, session, to))
      assert.equal(elevation?.factor, 'totp')
      assertClose(elevation?.at ?? 0, times.now, 'the time of the factor')
      assert.equal((await store.listByUser('ann'))[0]?.elevation?.factor, 'totp')
      await elapse(MINUTE)
      const last = randomHash()
      await save(store, session, { credentials: rotation(to, last) })
      await save(store, session)
      const record = await recordOf(store, session, last)
      const age = record.now - (elevationOf(record)?.at ?? 0)
      assertWithin(age, [MINUTE - 1, MINUTE + 30_000], 'the age of the factor')
      const latest = randomHash()
      await save(store, session, { credentials: { ...rotation(last, latest), factor: 'passkey' } })
      assert.equal(elevationOf(await recordOf(store, session, latest))?.factor, 'passkey')
    },
  )

  elevationTest(
    'forgets a factor at the next sign-in, also of the same user',
    async ({ store }) => {
      const session = await begin(store, { userId: 'ann' })
      const [first, second] = [randomHash(), randomHash()]
      const elevate = { ...rotation(session.secretHash, first), factor: 'totp' }
      await save(store, session, { credentials: elevate })
      const signIn = { ...rotation(first, second), signIn: { userId: 'ann' } }
      await save(store, session, { credentials: signIn })
      assert.equal(elevationOf(await recordOf(store, session, second)), undefined)
    },
  )

  elevationTest(
    'notes a factor for one of the holders of a token that note it at once',
    async ({ store }) => {
      const session = await begin(store, { userId: 'ann' })
      const results = await inParallel(10, (n) => {
        const credentials = { ...rotation(session.secretHash), factor: `factor ${n}` }
        return store.save(changeOf(session, { credentials }))
      })
      assert.equal(results.filter(({ status }) => status === 'saved').length, 1)
      const winner = results.findIndex(({ status }) => status === 'saved')
      assert.equal((await store.listByUser('ann'))[0]?.elevation?.factor, `factor ${winner}`)
    },
  )

  elevationTest(
    'notes nothing for a dead token, and nothing from before a sign-in',
    async ({ store }) => {
      const session = await begin(store, { userId: 'ann' })
      const { version } = await recordOf(store, session)
      const wrong = { ...rotation(randomHash()), factor: 'totp' }
      assert.deepEqual(await store.save(changeOf(session, { credentials: wrong })), {
        status: 'gone',
      })
      const to = randomHash()
      const signIn = { ...rotation(session.secretHash, to), signIn: { userId: 'ann' } }
      await save(store, session, { credentials: signIn })
      const late = changeOf(
        { ...session, version },
        { credentials: { ...rotation(to), factor: 'totp' } },
      )
      assert.deepEqual(await store.save(late), { status: 'gone' })
      assert.equal(elevationOf(await recordOf(store, session, to)), undefined)
    },
  )
}

function elevationOf({ elevation }: SessionRecord): SessionRecord['elevation'] {
  return elevation
}
