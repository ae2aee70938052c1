import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { startTransactionPooler } from '../support/transaction-pooler.ts'
import { type Outcome, runCli } from './run-cli.ts'

let database: TestDatabase
let given: URL
let folder: string
beforeAll(async () => {
  database = await createTestDatabase()
  given = new URL(database.url)
  folder = await mkdtemp(join(tmpdir(), 'pg-sessions-cli-'))
  await runCli(['migrate'], { databaseUrl: database.url })
})
afterAll(async () => {
  await database.drop()
  await rm(folder, { recursive: true })
})

/** One line of what happened, one of what to do, and no stack. */
function expectTwoLines({ stderr, stdout }: Outcome): void {
  expect(stderr).toMatch(/^pg-sessions: .+\n.+\n$/)
  expect(stdout).toBe('')
}

function changed(change: (url: URL) => void): { databaseUrl: string } {
  const url = new URL(database.url)
  change(url)
  return { databaseUrl: url.href }
}

describe('a password with a character that cuts a connection string', () => {
  test.each([
    'pa#hunter2',
    'pa/hunter2',
    'pa?hunter2',
    '12/hunter2',
    '12#hunter2',
    '12?hunter2',
    'p@a/hunter2',
    'p@a?hunter2',
    'p@a#hunter2',
    '%hunter2',
    'pa ss#hunter2',
  ])('%s: is refused with how to encode it, and no part of it is shown', async (password) => {
    for (const host of ['127.0.0.1:1/shop', 'db']) {
      const databaseUrl = `postgres://ann:${password}@${host}`
      const outcome = await runCli(['status'], { databaseUrl })
      expect(outcome).toMatchObject({ status: 2 })
      expect(outcome.stderr).toMatch(/DATABASE_URL cannot be read.*\n.*# is %23, \/ is %2F/)
      expect(outcome.stderr).not.toMatch(/hunter2|12|p@a|pa[#/?]/)
      expectTwoLines(outcome)
    }
  })
})

describe('each reason why no connection comes about is told apart', () => {
  test('TLS is asked for and the server has none', async () => {
    const outcome = await runCli(
      ['status'],
      changed((url) => url.searchParams.set('sslmode', 'require')),
    )
    expect(outcome.stderr).toMatch(/does not offer TLS.*\n.*sslmode=disable/)
    expect(outcome.status).toBe(2)
    expectTwoLines(outcome)
  })

  test('the password is wrong', async () => {
    const url = changed((url) => {
      url.password = 'hunter2'
    })
    const outcome = await runCli(['status'], url)
    expect(outcome.stderr).toMatch(/refused the password of user postgres\.\n.*~\/\.pgpass/)
    expect(outcome.stderr).not.toContain('hunter2')
    expectTwoLines(outcome)
  })

  test('there is no password', async () => {
    const url = changed((url) => {
      url.password = ''
    })
    const outcome = await runCli(['status'], {
      ...url,
      environment: { PGPASSFILE: join(folder, 'none') },
    })
    expect(outcome.stderr).toMatch(/asks for a password of user postgres.*\n.*PGPASSWORD/)
    expectTwoLines(outcome)
  })

  test('the limit of connections is reached', async () => {
    const role = `limited_${given.pathname.slice(-12)}`
    await database.query(`create role ${role} login password 'secret' connection limit 0`)
    try {
      const outcome = await runCli(
        ['status'],
        changed((url) => {
          url.username = role
          url.password = 'secret'
        }),
      )
      expect(outcome.stderr).toMatch(
        /has no free connection: too many connections for role.*\n.*Try again later|\n.*limit/,
      )
      expect(outcome.status).toBe(1)
      expectTwoLines(outcome)
    } finally {
      await database.query(`drop role ${role}`)
    }
  })

  test('the host is not known', async () => {
    const databaseUrl = 'postgres://ann:hunter2@no-such-host.invalid/shop'
    const outcome = await runCli(['status'], { databaseUrl })
    expect(outcome.stderr).toMatch(/host name no-such-host\.invalid is not known/)
    expectTwoLines(outcome)
  })

  test('there is no socket', async () => {
    const environment = { PGHOST: folder, PGDATABASE: 'shop' }
    const outcome = await runCli(['status'], { environment })
    expect(outcome.stderr).toMatch(/no socket of PostgreSQL at .*\n.*PGHOST/)
    expectTwoLines(outcome)
  })
})

describe('the variables of libpq name the database', () => {
  const variables = (): Record<string, string> => ({
    PGHOST: given.hostname,
    PGPORT: given.port,
    PGUSER: given.username,
    PGDATABASE: given.pathname.slice(1),
  })

  test('with PGPASSWORD, and with TLS if the server has it', async () => {
    const environment = { ...variables(), PGPASSWORD: given.password }
    expect(await runCli(['status'], { environment })).toMatchObject({ status: 0, stderr: '' })
    const strict = await runCli(['status'], {
      environment: { ...environment, PGSSLMODE: 'require' },
    })
    expect(strict.stderr).toContain('does not offer TLS')
  })

  test('with a password file', async () => {
    const PGPASSFILE = join(folder, 'pgpass')
    await writeFile(PGPASSFILE, `*:*:*:*:${given.password}\n`, { mode: 0o600 })
    const environment = { ...variables(), PGPASSFILE }
    expect(await runCli(['status'], { environment })).toMatchObject({ status: 0, stderr: '' })
  })

  test('DATABASE_URL comes before them, and --database-url before both', async () => {
    const environment = { PGHOST: '127.0.0.1', PGPORT: '1', PGDATABASE: 'elsewhere' }
    const options = { databaseUrl: database.url, environment }
    expect(await runCli(['status'], options)).toMatchObject({ status: 0 })
    const wrong = { databaseUrl: 'postgres://ann@127.0.0.1:1/shop', environment }
    const args = ['status', '--database-url', database.url]
    expect(await runCli(args, wrong)).toMatchObject({ status: 0 })
  })

  test.each([
    [{ PGDATABASE: 'shop', PGPORT: 'many' }, 'PGPORT must be a whole number'],
    [{ PGDATABASE: 'shop', PGSSLMODE: 'on' }, 'PGSSLMODE must be disable'],
    [{ PGSERVICE: 'shop' }, 'PGSERVICE is not supported'],
    [
      { PGDATABASE: 'shop', PGHOST: 'db', PGSSLMODE: 'verify-full', PGSSLROOTCERT: '/no/file' },
      'The file of PGSSLROOTCERT cannot be read',
    ],
  ])('%j is refused', async (environment, problem) => {
    const outcome = await runCli(['status'], { environment })
    expect(outcome).toMatchObject({ status: 2, stderr: expect.stringContaining(problem) })
    expectTwoLines(outcome)
  })
})

test('every command works behind a pooler that knows no prepared statements', async () => {
  await using pooler = await startTransactionPooler(database.url, 1)
  const options = { databaseUrl: pooler.url }
  for (const args of [['status'], ['list'], ['purge'], ['status'], ['migrate']]) {
    expect(await runCli(args, options)).toMatchObject({ status: 0, stderr: '' })
  }
})
