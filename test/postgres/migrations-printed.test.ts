import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  findChanged,
  fingerprintMigrations,
  lockFile,
  readLock,
  schemaFile,
} from '../../scripts/schema.ts'
import { checkSchema, migrate } from '../../src/postgres/migrate.ts'
import { migrations } from '../../src/postgres/migrations/index.ts'
import { PostgresStore } from '../../src/postgres/postgres-store.ts'
import { latestVersion, schemaSql } from '../../src/postgres/schema-sql.ts'
import { resolveTableNames } from '../../src/postgres/table-names.ts'
import type { NewSession } from '../../src/store/session-store.ts'
import { readCatalog } from './read-catalog.ts'
import { connect, scratchDatabase, scratchRole } from './scratch-database.ts'

const timeout = 20_000
const names = resolveTableNames()

test('the printed SQL, run by hand, makes the very tables that migrating makes', async () => {
  const [migrated, byHand] = [await scratchDatabase(), await scratchDatabase()]
  await migrate(connect(migrated.url), names, { timeout })
  await byHand.query(schemaSql(names))
  const catalog = await readCatalog(migrated, 'sessions')
  expect(catalog.length).toBeGreaterThan(30)
  expect(await readCatalog(byHand, 'sessions')).toEqual(catalog)
  await checkSchema(connect(byHand.url), names, { timeout })
  expect(await migrate(connect(byHand.url), names, { timeout })).toEqual({ from: 2, to: 2 })
})

test('the printed SQL refuses to run twice and changes nothing then', async () => {
  const database = await scratchDatabase()
  await database.query(schemaSql(names))
  const before = await readCatalog(database, 'sessions')
  await expect(database.query(schemaSql(names))).rejects.toMatchObject({ code: '23505' })
  expect(await readCatalog(database, 'sessions')).toEqual(before)
})

test('the printed SQL starts after the version that is in place, and knows no other', () => {
  expect(schemaSql(names, { from: latestVersion })).toMatch(/^-- .*nothing to do/)
  for (const from of [-1, 0.5, latestVersion + 1, Number.NaN]) {
    expect(() => schemaSql(names, { from })).toThrow('whole number from 0')
  }
})

test('the printed rights are enough for a role that owns nothing', async () => {
  const database = await scratchDatabase()
  const { role, url } = await scratchRole(database)
  const printed = schemaSql(names)
  await database.query(printed)
  const grants = printed.match(/(?<=^-- )grant .*;$/gm) ?? []
  await database.query(grants.join('\n').replaceAll(/ to app;/g, ` to ${role};`))

  const store = new PostgresStore({ driver: connect(url), migrate: 'auto' })
  const lifetime = { idle: 60_000, purge: 120_000 }
  const key = Buffer.from('basket')
  const [one, two, three] = [1, 2, 3].map(
    (digit): NewSession => ({
      id: `0198b0f3-0000-7000-8000-00000000000${digit}`,
      secretHash: new Uint8Array(32).fill(digit),
      userId: 'ann',
      lifetime,
      ownIdleTimeout: null,
      absolute: Number.POSITIVE_INFINITY,
      entries: [{ key, value: Buffer.from('[]') }],
    }),
  ) as [NewSession, NewSession, NewSession]
  const guard = { id: one.id, userId: 'ann', lifetime }
  await store.create(one)
  expect(await store.load({ id: one.id, secretHashes: [one.secretHash] })).toMatchObject({
    status: 'live',
  })
  const entry = { key, value: Buffer.from('[1]') }
  expect(await store.save({ ...guard, written: [entry], deleted: [] })).toMatchObject({
    status: 'saved',
  })
  const change = { key, expected: entry.value, value: Buffer.from('[2]') }
  expect(await store.update({ ...guard, ...change })).toEqual({ status: 'updated' })
  expect(await store.take({ ...guard, key })).toMatchObject({ status: 'taken' })
  await store.touch(guard)
  expect(await store.replace({ ...guard, secretHashes: [one.secretHash] }, two)).toMatchObject({
    status: 'created',
  })
  expect(await store.listByUser('ann')).toMatchObject([{ id: two.id }])
  expect((await store.destroy({ id: two.id })).status).toBe('ended')
  await store.create(three)
  expect(await store.destroyByUser('ann', [])).toEqual([three.id])
  expect(await store.count()).toMatchObject({ live: 0 })
  await store.purge(10)
})

describe('the table of sessions refuses by itself', () => {
  test.each([
    ['a hash of another length', `secret_hash = '\\x00'`],
    ['a deadline after the absolute one', `absolute_expires_at = now()`],
    ['a purge before the deadline', `purge_at = now()`],
    ['an idle timeout of nothing', `own_idle_ms = 0`],
  ])('%s', async (_, change) => {
    const database = await scratchDatabase()
    await migrate(connect(database.url), names, { timeout })
    await database.query(`insert into sessions.session (id, secret_hash, created_at, last_access_at,
      token_issued_at, expires_at, absolute_expires_at, purge_at)
      values ('0198b0f3-0000-7000-8000-000000000000', decode(repeat('00', 32), 'hex'), now(), now(),
      now(), now() + '1h', 'infinity', now() + '2h')`)
    await expect(database.query(`update sessions.session set ${change}`)).rejects.toMatchObject({
      code: '23514',
    })
  })
})

describe('what is kept in the repository', () => {
  test('schema/schema.sql is the schema that this release makes', () => {
    const hint = 'schema/schema.sql is not what the migrations make. Run `npm run schema`.'
    expect(readFileSync(schemaFile, 'utf8'), hint).toBe(schemaSql(names))
  })

  test('no migration that was ever pinned has changed, and each is pinned', () => {
    const changed = findChanged(readLock(), fingerprintMigrations()).join(', ')
    expect(
      changed,
      `${changed} changed after it was pinned in ${lockFile.pathname.split('/').at(-1)}. Databases have run it as it was: put it back, and write the change as a new migration.`,
    ).toBe('')
    expect(readLock(), 'A new migration is not pinned yet. Run `npm run schema`.').toEqual(
      fingerprintMigrations(),
    )
  })

  test('versions count up from one without a gap', () => {
    expect(migrations.map(({ version }) => version)).toEqual(
      migrations.map((_, index) => index + 1),
    )
  })
})
