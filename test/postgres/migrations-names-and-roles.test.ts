import { describe, expect, test } from 'vitest'
import { checkSchema, migrate } from '../../src/postgres/migrate.ts'
import { schemaSql } from '../../src/postgres/schema-sql.ts'
import { resolveTableNames } from '../../src/postgres/table-names.ts'
import { readCatalog } from './read-catalog.ts'
import { connect, scratchDatabase, scratchRole } from './scratch-database.ts'

const timeout = 20_000
const names = resolveTableNames()

describe('a role with few rights', () => {
  test('may not create tables: it is told who should, and comes up once they did', async () => {
    const database = await scratchDatabase()
    const { role, url } = await scratchRole(database)
    const driver = connect(url)
    await expect(migrate(driver, names, { timeout })).rejects.toMatchObject({
      code: 'ERR_SCHEMA_MISSING',
      message: expect.stringMatching(
        /`npx pg-sessions migrate` as a role that may.*pg-sessions sql/,
      ),
    })
    await migrate(connect(database.url), names, { timeout })
    await database.query(
      `grant usage on schema sessions to ${role}; grant select on sessions.migration to ${role}`,
    )
    expect(await migrate(driver, names, { timeout })).toEqual({ from: 2, to: 2 })
    await checkSchema(driver, names, { timeout })
  })

  test('may migrate inside a schema that was made for it, without rights on the database', async () => {
    const database = await scratchDatabase()
    const { role, url } = await scratchRole(database)
    await database.query(`create schema sessions authorization ${role}`)
    expect(await migrate(connect(url), names, { timeout })).toEqual({ from: 0, to: 2 })
  })
})

describe('names', () => {
  const oddNames = [
    { schema: 'we"ird', tables: { session: "ses'sion; --", sessionData: 'dätä "x"' } },
    { schema: 'a\nb', tables: { session: '$$', migration: 'back\\slash' } },
    { schema: 'x'.repeat(63), tables: { session: 'é'.repeat(31) } },
    { schema: 'public', tables: { session: 'Session' } },
  ]
  test.each(oddNames)('of any kind work: %o', async (options) => {
    const [migrated, byHand] = [await scratchDatabase(), await scratchDatabase()]
    const odd = resolveTableNames(options)
    await migrate(connect(migrated.url), odd, { timeout })
    await checkSchema(connect(migrated.url), odd, { timeout })
    await byHand.query(schemaSql(odd))
    const catalog = await readCatalog(migrated, options.schema)
    expect(catalog).toContainEqual(expect.objectContaining({ name: options.tables.session }))
    expect(await readCatalog(byHand, options.schema)).toEqual(catalog)
  })

  test('two sets of tables fit in one schema, each with its own versions', async () => {
    const database = await scratchDatabase()
    const driver = connect(database.url)
    const shop = resolveTableNames({ tables: { session: 'shop' } })
    await migrate(driver, names, { timeout })
    await expect(checkSchema(driver, shop, { timeout })).rejects.toMatchObject({
      message: expect.stringContaining('`npx pg-sessions migrate --session-table shop`'),
    })
    expect(await migrate(driver, shop, { timeout })).toEqual({ from: 0, to: 2 })
    const catalog = await readCatalog(database, 'sessions')
    const indexes = catalog.filter(({ kind }) => kind === 'index').map(({ name }) => name)
    expect(indexes).toEqual([
      'migration_pkey',
      'session_data_pkey',
      'session_pkey',
      'session_purge_at_idx',
      'session_tags_idx',
      'session_user_id_idx',
      'shop_data_pkey',
      'shop_migration_pkey',
      'shop_pkey',
      'shop_purge_at_idx',
      'shop_tags_idx',
      'shop_user_id_idx',
    ])
  })

  test('the search path does not matter', async () => {
    const database = await scratchDatabase()
    await database.query('create schema elsewhere; create table elsewhere.session (id int)')
    const driver = connect(database.url, { search_path: 'elsewhere' })
    await migrate(driver, names, { timeout })
    await checkSchema(driver, names, { timeout })
    const catalog = await readCatalog(database, 'elsewhere')
    expect(catalog.map(({ name }) => name)).toEqual(['session.id', 'session'])
  })

  test('a table of another program is left alone, and named as the reason', async () => {
    const database = await scratchDatabase()
    await database.query('create table public.session (sid varchar primary key)')
    const inPublic = resolveTableNames({ schema: 'public' })
    await expect(migrate(connect(database.url), inPublic, { timeout })).rejects.toMatchObject({
      code: 'ERR_SCHEMA_MISSING',
      message: expect.stringContaining('Set tables.session to a name that is free'),
    })
    const catalog = await readCatalog(database, 'public')
    expect(catalog.filter(({ kind }) => kind === 'column')).toHaveLength(1)
  })
})
