import assert from 'node:assert/strict'
import type { StoreTest } from './harness.ts'
import { begin, recordOf } from './samples.ts'

/** What `sessions.check` asks. Stores that cannot be checked lack the method. */
export function checkTests(test: StoreTest): void {
  test('says that it takes reads and writes, and what time it is', async ({ store }) => {
    if (store.check === undefined) return
    const session = await begin(store)
    const before = await recordOf(store, session)
    const { time, ...state } = await store.check()
    const after = await recordOf(store, session)
    assert.deepEqual(state, { isReadOnly: false, missingRights: [] })
    assert.ok(
      before.now - 1 <= time && time <= after.now + 1,
      `${before.now}, ${time}, ${after.now}`,
    )
  })
}
