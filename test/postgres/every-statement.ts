import type pg from 'pg'
import { PostgresStore, type PostgresStoreOptions } from 'pg-sessions'
import type { Statement } from 'pg-sessions/driver'
import { fromPg } from 'pg-sessions/pg'
import {
  begin,
  bytes,
  changeOf,
  entry,
  inParallel,
  lifetime,
  rotation,
  sample,
} from '../../src/testing/store-contract/samples.ts'
import { operationOf } from './recording-driver.ts'

/** The statements about a user, a tag or all sessions. Each other is about the sessions that it names. */
export const OF_ALL: RegExp =
  /^(?:.*_by_user|.*_by_tag|destroy_page|read_user|.*_values|find_live_many|count|purge_distributed|inspect_(?!session|keys|entries).*)$/

/**
 * Makes a store do everything that it can, and gives the text of each statement by its operation.
 *
 * @param before - Called before each statement is sent. What it throws is what the client throws.
 */
export async function everyStatement(
  pool: pg.Pool,
  options: Partial<PostgresStoreOptions> = {},
  before: (statement: Statement) => void | Promise<void> = () => {},
): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>()
  const driver = fromPg(pool)
  const store = new PostgresStore({
    migrate: 'off',
    ...options,
    driver: {
      ...driver,
      async query(statement, options) {
        await before(statement)
        texts.set(operationOf(statement.name), statement.text)
        return driver.query(statement, options)
      },
    },
  })
  const written = [entry('a', '1')]
  const update = { lifetime, key: bytes('b') }
  const one = await begin(store, { entries: written, userId: 'ann' })
  await store.create(one)
  await store.load({ id: one.id, secretHashes: [one.secretHash] })
  await store.fetch({ ...one, secretHashes: [one.secretHash], keys: [bytes('a')] })
  await store.save(changeOf(one, { written }))
  await store.save(changeOf(one, { written, isTouchDue: false }))
  await store.save(changeOf(one, { credentials: rotation(one.secretHash) }))
  await store.update({ ...one, ...update, expected: null, value: bytes('1') })
  await store.update({ ...one, ...update, expected: bytes('1'), value: bytes('2') })
  await store.update({ ...one, ...update, expected: bytes('2'), value: null })
  await store.take({ ...one, ...update })
  await store.touch({ id: one.id, lifetime })
  await store.listByUser('ann')
  await store.describe({ ...one, device: '{}' })
  await store.tag({ ...one, added: ['a'], removed: [] })
  await store.tag({ ...one, added: [], removed: [] })
  await store.listByTag('a')
  await store.create(sample({ tags: ['b'] }))
  const actor = { userId: 'ann', sessionId: one.id }
  const acting = await begin(store, { userId: 'bob', actor })
  const back = { own: one.id, to: acting.secretHash, lifetime, secretHashes: [acting.secretHash] }
  await store.endActing({ ...acting, ...back, userId: 'eve' })
  await store.readUser('ann')
  const [value] = await store.readValues({ after: null, limit: 1, bytes: 1 })
  if (value !== undefined) await store.replaceValues([{ ...value, expected: value.value }])
  await store.findLive([one.id])
  await store.findLive([one.id, acting.id])
  await store.backdateSignIn(one.id, 1000)
  await store.inspector.figures()
  await store.inspector.newest({ before: null, limit: 50 })
  await store.inspector.ofUser({ userId: 'ann', limit: 200 })
  await store.inspector.withTag({ tag: 'tenant:7', limit: 200 })
  await store.inspector.withLabel({ label: 'fire', among: 10_000, limit: 50 })
  await store.inspector.session(one.id)
  await store.inspector.keys({ id: one.id, limit: 200 })
  await store.inspector.entries({ id: one.id, keys: [bytes('a')], bytes: 10_000 })
  const many = await inParallel(3, () => begin(store))
  const load = store.load.bind(store)
  await Promise.all(many.map(({ id, secretHash }) => load({ id, secretHashes: [secretHash] })))
  await Promise.all(many.map((session) => store.save(changeOf(session, { written }))))
  await Promise.all(many.map(({ id }) => store.touch({ id, lifetime })))
  await store.replace({ ...one, secretHashes: [one.secretHash] }, sample())
  await store.destroy({ id: one.id })
  await Promise.all(
    many.map(({ id, secretHash }) => store.destroy({ id, secretHashes: [secretHash] })),
  )
  await store.destroyByUser('ann', [])
  await store.destroyByTag('b', [])
  await store.destroyPage({ after: null, before: null, limit: 1 })
  await store.count()
  await store.purge(1)
  await store.close()
  return texts
}
