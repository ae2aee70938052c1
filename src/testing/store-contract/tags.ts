import assert from 'node:assert/strict'
import type { NewSession, SessionStore } from '../../store/session-store.ts'
import { MOST_TAGS } from '../../store/session-tags.ts'
import type { StoreTest } from './harness.ts'
import {
  begin,
  guardOf,
  HOUR,
  inParallel,
  MINUTE,
  recordOf,
  rotation,
  sample,
  save,
  statusOf,
} from './samples.ts'

/** A store that keeps tags, with all that goes with them. */
type TaggingStore = SessionStore & Required<Pick<SessionStore, Tagging>>
type Tagging = 'tag' | 'listByTag' | 'destroyByTag'

/** Names by which sessions are found and ended. A store that keeps none lacks `tag`. */
export function tagTests(test: StoreTest): void {
  const tagTest = (
    name: string,
    body: (store: TaggingStore, elapse: (milliseconds: number) => Promise<void>) => Promise<void>,
  ): void =>
    test(name, async ({ store, elapse }) => {
      if (store.tag !== undefined) await body(store as TaggingStore, elapse)
    })
  changeTests(tagTest)
  listTests(tagTest)
  destroyTests(tagTest)
}

type TagTest = (
  name: string,
  body: (store: TaggingStore, elapse: (milliseconds: number) => Promise<void>) => Promise<void>,
) => void

/** Tags that a store could mistake for something else, or for each other. */
const ODD = [
  'a',
  'A',
  'a ',
  'null',
  'NULL',
  '{}',
  '{a,b}',
  '"',
  '\\',
  "o'; --",
  '%',
  '\u00e9',
  'e\u0301',
  '😀',
]

function changeTests(tagTest: TagTest): void {
  tagTest(
    'adds tags and takes them away, each once, in the order in which they came',
    async (store) => {
      const session = await begin(store, { userId: 'ann' })
      assert.deepEqual(await change(store, session, []), [])
      assert.deepEqual(await change(store, session, ['b', 'a', 'b']), ['b', 'a'])
      assert.deepEqual(await change(store, session, ['c', 'a']), ['b', 'a', 'c'])
      assert.deepEqual(await change(store, session, [], ['a', 'not there']), ['b', 'c'])
      assert.deepEqual(await change(store, session, []), ['b', 'c'])
      assert.deepEqual(await change(store, session, [], ['b', 'c']), [])
      const [listed] = await store.listByUser('ann')
      assert.ok(listed !== undefined && !('tags' in listed))
    },
  )

  tagTest('begins a session with its tags, and no load reads them', async (store) => {
    const session = await begin(store, { userId: 'ann', tags: ['b', 'a'] })
    assert.deepEqual(await change(store, session, []), ['b', 'a'])
    assert.ok(!('tags' in (await recordOf(store, session))))
    const successor = sample({ userId: 'ann', tags: ODD })
    assert.equal((await store.replace(guardOf(session), successor)).status, 'created')
    assert.deepEqual(await change(store, successor, []), ODD)
    assert.deepEqual(await store.listByTag('b'), [])
  })

  tagTest(
    'keeps tags over a new token, and over a sign-in unless that brings its own',
    async (store) => {
      const session = await begin(store, { tags: ['a'] })
      const [first, second] = [rotation(session.secretHash), sample().secretHash]
      await save(store, session, { credentials: { ...first, signIn: { userId: 'ann' } } })
      const ann = { ...session, userId: 'ann' }
      assert.deepEqual(await change(store, ann, []), ['a'])
      const again = { ...rotation(first.token.to, second), signIn: { userId: 'ann', tags: ['b'] } }
      await save(store, ann, { credentials: again })
      assert.deepEqual(await change(store, ann, []), ['b'])
      await save(store, ann, {
        credentials: { ...rotation(second), signIn: { userId: 'ann', tags: [] } },
      })
      assert.deepEqual(await change(store, ann, []), [])
    },
  )

  tagTest(`holds at most ${MOST_TAGS} tags, and changes nothing beyond`, async (store) => {
    const all = Array.from({ length: MOST_TAGS }, (_, n) => `tag ${n}`)
    const session = await begin(store, { tags: all.slice(1) })
    const one = { ...guardOf(session), added: ['x'], removed: [] }
    assert.deepEqual(await change(store, session, ['tag 0']), [...all.slice(1), 'tag 0'])
    assert.deepEqual(await store.tag(one), { status: 'full' })
    assert.deepEqual(await store.tag({ ...one, added: ['x', 'y'], removed: ['tag 1'] }), {
      status: 'full',
    })
    assert.deepEqual(await change(store, session, ['tag 5']), [...all.slice(1), 'tag 0'])
    assert.deepEqual((await change(store, session, ['x'], ['tag 1'])).length, MOST_TAGS)
  })

  tagTest('loses no tag of those that are added at once', async (store) => {
    const session = await begin(store, { tags: ['old'] })
    const names = Array.from({ length: MOST_TAGS - 1 }, (_, n) => `tag ${n}`)
    await Promise.all(names.map((name) => change(store, session, [name])))
    assert.deepEqual([...(await change(store, session, []))].sort(), ['old', ...names].sort())
    await Promise.all(names.map((name) => change(store, session, [], [name])))
    assert.deepEqual(await change(store, session, []), ['old'])
  })

  tagTest('lets parallel tags fill a session, and not more', async (store) => {
    const session = await begin(store)
    const results = await inParallel(MOST_TAGS + 4, (n) =>
      store.tag({ ...guardOf(session), added: [`tag ${n}`], removed: [] }),
    )
    const full = results.filter(({ status }) => status === 'full')
    assert.equal(full.length, 4)
    assert.equal((await change(store, session, [])).length, MOST_TAGS)
  })

  tagTest(
    "tags neither a dead session nor another user's, nor one from before a sign-in",
    async (store, elapse) => {
      const session = await begin(store, { userId: 'ann' })
      const { version } = await recordOf(store, session)
      const credentials = { ...rotation(session.secretHash), signIn: { userId: 'ann' } }
      await save(store, session, { credentials })
      const strangers = [
        { ...guardOf(session), userId: 'bob' },
        { ...guardOf(session), userId: null },
        { ...guardOf(session), version },
        guardOf(sample({ userId: 'ann' })),
        { id: 'no-id', userId: 'ann' },
      ]
      for (const guard of strangers) {
        for (const added of [['a'], []]) {
          assert.deepEqual(await store.tag({ ...guard, added, removed: [] }), { status: 'gone' })
        }
      }
      assert.deepEqual(await store.listByTag('a'), [])
      await elapse(2 * HOUR)
      const late = { ...guardOf(session), added: ['a'], removed: [] }
      assert.deepEqual(await store.tag(late), { status: 'gone' })
    },
  )
}

function listTests(tagTest: TagTest): void {
  tagTest(
    'lists the live sessions with a tag, of every user, the most recently used first',
    async (store, elapse) => {
      await begin(store, { tags: ['a'] })
      await elapse(2 * HOUR)
      const ann = await begin(store, { userId: 'ann', tags: ['b', 'a'] })
      await elapse(MINUTE)
      const visitor = await begin(store, { tags: ['a'] })
      await begin(store, { userId: 'ann', tags: ['b'] })
      await begin(store)
      const listed = await store.listByTag('a')
      assert.deepEqual(
        listed.map(({ id, userId, tags }) => [id, userId, tags]),
        [
          [visitor.id, null, ['a']],
          [ann.id, 'ann', ['b', 'a']],
        ],
      )
    },
  )

  tagTest('tells tags apart exactly', async (store) => {
    const ids = new Map<string, string>()
    for (const tag of ODD) ids.set(tag, (await begin(store, { tags: [tag, 'shared'] })).id)
    for (const [tag, id] of ids) {
      assert.deepEqual(
        (await store.listByTag(tag)).map((found) => found.id),
        [id],
        tag,
      )
      assert.deepEqual(await store.destroyByTag(tag, []), [{ id, userId: null }])
    }
    assert.deepEqual(await store.listByTag('shared'), [])
  })
}

function destroyTests(tagTest: TagTest): void {
  tagTest(
    'ends the sessions with a tag but those named, and tells whose they were',
    async (store, elapse) => {
      const dead = await begin(store, { tags: ['a'] })
      await elapse(2 * HOUR)
      const kept = await begin(store, { userId: 'ann', tags: ['a'] })
      const ann = await begin(store, { userId: 'ann', tags: ['b', 'a'] })
      const visitor = await begin(store, { tags: ['a'] })
      const other = await begin(store, { userId: 'ann', tags: ['b'] })
      const ended = await store.destroyByTag('a', [kept.id, 'no-id'])
      assert.deepEqual(
        new Map(ended.map(({ id, userId }) => [id, userId])),
        new Map([
          [ann.id, 'ann'],
          [visitor.id, null],
        ]),
      )
      for (const session of [kept, other]) assert.equal(await statusOf(store, session), 'live')
      for (const session of [ann, visitor, dead]) {
        assert.equal(await statusOf(store, session), 'unknown')
      }
      assert.deepEqual(await store.destroyByTag('a', [kept.id]), [])
    },
  )

  tagTest('tells of each session once when several calls end those with a tag', async (store) => {
    const sessions = await inParallel(10, () => begin(store, { tags: ['a'] }))
    const ended = (await inParallel(4, () => store.destroyByTag('a', []))).flat()
    assert.deepEqual(ended.map(({ id }) => id).sort(), sessions.map(({ id }) => id).sort())
  })

  tagTest(
    'ends no session whose tag was taken away before, and each that was tagged',
    async (store) => {
      const [untagged, tagged] = [await begin(store, { tags: ['a'] }), await begin(store)]
      await change(store, untagged, [], ['a'])
      await change(store, tagged, ['a'])
      assert.deepEqual(await store.destroyByTag('a', []), [{ id: tagged.id, userId: null }])
      assert.equal(await statusOf(store, untagged), 'live')
    },
  )
}

async function change(
  store: TaggingStore,
  session: Pick<NewSession, 'id' | 'userId' | 'secretHash'>,
  added: readonly string[],
  removed: readonly string[] = [],
): Promise<readonly string[]> {
  const result = await store.tag({ ...guardOf(session), added, removed })
  assert.equal(result.status, 'tagged')
  return result.tags
}
