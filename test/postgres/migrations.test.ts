import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import postgres from 'postgres'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { fromPglite } from '../../src/drivers/pglite.ts'
import { fromPostgresJs } from '../../src/drivers/postgres-js.ts'
import { SchemaError, StoreUnavailableError } from '../../src/errors.ts'
import type { Driver } from '../../src/postgres/driver.ts'
import { checkSchema, migrate } from '../../src/postgres/migrate.ts'
import { type Migration, migrations } from '../../src/postgres/migrations/index.ts'
import { latestVersion } from '../../src/postgres/schema-sql.ts'
import { resolveTableNames } from '../../src/postgres/table-names.ts'
import { bundledProgram } from '../support/bundled-program.ts'
import type { TestDatabase } from '../support/database.ts'
import { openPglite } from '../support/pglite.ts'
import { readCatalog } from './read-catalog.ts'
import { connect, scratchDatabase } from './scratch-database.ts'

const timeout = 20_000
const names = resolveTableNames()
const nextVersion: Migration = {
  version: latestVersion + 1,
  name: 'add-nothing',
  columns: migrations.at(-1)!.columns,
  sql: ({ session }) => `alter table ${session} add column added int;`,
}

/** The same driver, with what went through it. */
function recorded(driver: Driver): { driver: Driver; calls: string[] } {
  const calls: string[] = []
  return {
    calls,
    driver: {
      name: driver.name,
      query: (statement, options) => {
        calls.push(statement.text)
        return driver.query(statement, options)
      },
      withConnection: (use) => {
        calls.push('withConnection')
        return driver.withConnection(use)
      },
    },
  }
}

async function versions(database: TestDatabase): Promise<unknown> {
  return database.query('select version, name from sessions.migration order by version')
}

const thisVersion = [
  { version: 1, name: 'create-sessions' },
  { version: 2, name: 'describe-sign-ins' },
]

test('twenty processes that start at once on an empty database all come up', async () => {
  const database = await scratchDatabase()
  const program = await bundledProgram('test/postgres/migrate-process.ts')
  const processes = Array.from({ length: 20 }, (): ChildProcess => {
    const child = spawn(process.execPath, [program], {
      env: { ...process.env, DATABASE_URL: database.url },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    onTestFinished(() => void child.kill())
    return child
  })
  const outcomes = processes.map(async (child) => {
    const [[status], output, errors] = await Promise.all([
      once(child, 'exit'),
      text(child.stdout!),
      text(child.stderr!),
    ])
    return { status, output, errors }
  })
  await Promise.all(processes.map((child) => once(child.stdout!, 'readable')))
  for (const child of processes) child.stdin!.write('go\n')
  const answers = await Promise.all(outcomes)
  expect(answers.map(({ errors }) => errors).join('')).toBe('')
  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(0))
  const migrated = answers.filter(({ output }) => output.includes('{"from":0,"to":2}'))
  expect(migrated).toHaveLength(1)
  expect(await versions(database)).toEqual(thisVersion)
}, 120_000)

test('many at once come up where transactions are serializable by default', async () => {
  const database = await scratchDatabase()
  const results = await Promise.all(
    Array.from({ length: 6 }, () =>
      migrate(connect(database.url, { default_transaction_isolation: 'serializable' }), names, {
        timeout,
      }),
    ),
  )
  expect(results.filter(({ from }) => from === 0)).toHaveLength(1)
  expect(await versions(database)).toEqual(thisVersion)
})

test('tables that are up to date cost two reads and no lock, and migrating again is harmless', async () => {
  const database = await scratchDatabase()
  const { driver, calls } = recorded(connect(database.url))
  const log = { info: vi.fn() }
  expect(await migrate(driver, names, { timeout, log })).toEqual({ from: 0, to: 2 })
  expect(log.info.mock.calls).toEqual([
    [{ version: 1, migration: 'create-sessions' }, 'schema migrated'],
    [{ version: 2, migration: 'describe-sign-ins' }, 'schema migrated'],
  ])
  calls.length = 0
  expect(await migrate(driver, names, { timeout, log })).toEqual({ from: 2, to: 2 })
  await checkSchema(driver, names, { timeout })
  const reads = [/pg_catalog/, /from "sessions"."migration"/].map((text) =>
    expect.stringMatching(text),
  )
  expect(calls).toEqual([...reads, ...reads])
  expect(log.info).toHaveBeenCalledTimes(2)
})

test('a step that fails leaves nothing behind, and the next attempt succeeds', async () => {
  const database = await scratchDatabase()
  const driver = connect(database.url)
  const broken = [...migrations, { ...nextVersion, sql: () => 'select 1 / 0;' }]
  await expect(migrate(driver, names, { timeout, migrations: broken })).rejects.toMatchObject({
    code: 'ERR_STORE',
    sqlState: '22012',
  })
  expect(await readCatalog(database, 'sessions')).toEqual([])
  expect(await database.query(`select 1 from pg_namespace where nspname = 'sessions'`)).toEqual([])
  expect(await migrate(driver, names, { timeout })).toEqual({ from: 0, to: 2 })
})

test('a migration whose connection is cut leaves nothing behind, and the next succeeds', async () => {
  const database = await scratchDatabase()
  const driver = connect(database.url)
  const slow = [...migrations, { ...nextVersion, sql: () => 'select pg_sleep(600);' }]
  const cut = expect(migrate(driver, names, { timeout, migrations: slow })).rejects.toBeInstanceOf(
    StoreUnavailableError,
  )
  await vi.waitFor(async () => {
    const [found] = await database.query(
      `select count(pg_terminate_backend(pid))::int as cut from pg_stat_activity
       where datname = current_database() and wait_event = 'PgSleep'`,
    )
    expect(found).toEqual({ cut: 1 })
  })
  await cut
  expect(await readCatalog(database, 'sessions')).toEqual([])
  expect(await migrate(driver, names, { timeout })).toEqual({ from: 0, to: 2 })
})

test('a migration that the database does not finish in time is given up as a whole', async () => {
  const database = await scratchDatabase()
  const driver = connect(database.url)
  const slow = [...migrations, { ...nextVersion, sql: () => 'select pg_sleep(600);' }]
  await expect(migrate(driver, names, { timeout: 400, migrations: slow })).rejects.toBeInstanceOf(
    StoreUnavailableError,
  )
  await vi.waitFor(async () => {
    expect(
      await database.query(`select 1 from pg_stat_activity where wait_event = 'PgSleep'`),
    ).toEqual([])
  })
  expect(await migrate(driver, names, { timeout })).toEqual({ from: 0, to: 2 })
})

test('who waits in vain for another migration is told so, and later finds it done', async () => {
  const database = await scratchDatabase()
  const slow = [{ ...nextVersion, sql: () => 'select pg_sleep(600);' }]
  const first = migrate(connect(database.url), names, { timeout, migrations: slow })
  const cut = expect(first).rejects.toBeInstanceOf(StoreUnavailableError)
  await vi.waitFor(async () => {
    const sleeping = `select 1 as one from pg_stat_activity
      where datname = current_database() and wait_event = 'PgSleep'`
    expect(await database.query(sleeping)).toHaveLength(1)
  })
  const driver = connect(database.url)
  await expect(migrate(driver, names, { timeout: 800 })).rejects.toMatchObject({
    code: 'ERR_STORE_UNAVAILABLE',
    sqlState: '55P03',
    message: expect.stringContaining('Another process is migrating'),
  })
  await database.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'
     and datname = current_database()`,
  )
  await cut
  expect(await migrate(driver, names, { timeout })).toEqual({ from: 0, to: 2 })
})

test('tables are recognized whatever the server does to names that it shows', async () => {
  const database = await scratchDatabase()
  const driver = connect(database.url, { quote_all_identifiers: 'on' })
  expect(await migrate(driver, names, { timeout })).toEqual({ from: 0, to: 2 })
  await checkSchema(driver, names, { timeout })
})

describe('a schema of another version', () => {
  test('missing: the message names the command and the setting', async () => {
    const database = await scratchDatabase()
    const missing = checkSchema(connect(database.url), names, { timeout })
    await expect(missing).rejects.toBeInstanceOf(SchemaError)
    await expect(missing).rejects.toMatchObject({
      code: 'ERR_SCHEMA_MISSING',
      message: expect.stringMatching(/`npx pg-sessions migrate`.*migrate: 'auto'/),
    })
  })

  test('outdated: the check says which version is needed, and migrating applies the rest alone', async () => {
    const database = await scratchDatabase()
    const driver = connect(database.url)
    await migrate(driver, names, { timeout })
    const later = { timeout, migrations: [...migrations, nextVersion] }
    await expect(checkSchema(driver, names, later)).rejects.toMatchObject({
      code: 'ERR_SCHEMA_OUTDATED',
      message: expect.stringContaining('have version 2, and this release needs version 3'),
    })
    expect(await migrate(driver, names, later)).toEqual({ from: 2, to: 3 })
    expect(await versions(database)).toEqual([...thisVersion, { version: 3, name: 'add-nothing' }])
    await checkSchema(driver, names, later)
  })

  test('newer: neither checking nor migrating touches it, and the message says to upgrade', async () => {
    const database = await scratchDatabase()
    const driver = connect(database.url)
    await migrate(driver, names, { timeout, migrations: [...migrations, nextVersion] })
    const newer = {
      code: 'ERR_SCHEMA_NEWER',
      message: expect.stringContaining('Upgrade the package'),
    }
    await expect(checkSchema(driver, names, { timeout })).rejects.toMatchObject(newer)
    await expect(migrate(driver, names, { timeout })).rejects.toMatchObject(newer)
  })
})

describe('the same migration runs over', () => {
  test('postgres.js', async () => {
    const database = await scratchDatabase()
    const sql = postgres(database.url, { max: 2, onnotice: () => {} })
    onTestFinished(() => sql.end())
    expect(await migrate(fromPostgresJs(sql), names, { timeout })).toEqual({ from: 0, to: 2 })
    await checkSchema(fromPostgresJs(sql), names, { timeout })
  })

  test('PGlite', async () => {
    const db = await openPglite()
    onTestFinished(() => db.close())
    expect(await migrate(fromPglite(db), names, { timeout })).toEqual({ from: 0, to: 2 })
    await checkSchema(fromPglite(db), names, { timeout })
  })
})
