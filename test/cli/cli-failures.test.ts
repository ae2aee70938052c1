import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { bundledCli, installedCli, type Outcome, runCli } from './run-cli.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

const id = '0198b0f3-0000-7000-8000-000000000000'

/** One line of what happened, one of what to do, and no stack. */
function expectTwoLines({ stderr }: Outcome): void {
  expect(stderr).toMatch(/^pg-sessions: .+\n.+\n$/)
  expect(stderr).not.toMatch(/\n\s+at /)
}

describe('asked wrongly, it exits with 2 and says what to write', () => {
  test.each<[string[], RegExp]>([
    [['frobnicate'], /no command 'frobnicate'.*\nThe commands are status, doctor, migrate, sql/],
    [['statsu'], /no command 'statsu'.*\nDid you mean 'status'\?/],
    [['list', '--limt=3'], /Unknown option '--limt'.*\nDid you mean '--limit'\?/],
    [['list', '--postgres://root:hunter2@db'], /no option of that name/],
    [['list', '--limit'], /'--limit' needs a value: --limit=<number>/],
    [['list', '--json=yes'], /'--json' takes no value/],
    [['toString'], /no command 'toString'/],
    [['--json', 'status'], /first word must be a command/],
    [['status', '--verbose'], /Unknown option '--verbose'.*\n.*`pg-sessions status --help`/],
    [['status', 'now'], /takes options only/],
    [['destroy'], /the id of one session, --user, --tag or --all/],
    [['destroy', id, '--user', 'ann'], /the id of one session, --user, --tag or --all/],
    [['destroy', id, '--except', id], /--except goes with --user/],
    [['destroy', '--user', 'ann', '--exept', id], /Unknown option '--exept'/],
    [['destroy', '--user', 'ann', '--except', 'x'], /not the id of a session/],
    [['destroy', '--user', 'ann', '--user', 'bob'], /'--user' is given twice/],
    [['destroy', '--user', ''], /--user is empty/],
    [['destroy', id, id], /takes one argument/],
    [['list', '--limit', '0'], /whole number from 1/],
    [['purge', '--batch-size', 'many'], /whole number from 1/],
    [['sql', '--from', 'x'], /version of the schema/],
    [['sql', '--from', '99'], /whole number from 0/],
    [['sql', '--schema', 'pg_x'], /reserved/],
    [['status', '--timeout', '5'], /duration with its unit/],
    [
      ['status', '--database-url', 'mysql://root:hunter2@db/app'],
      /--database-url is not a PostgreSQL connection/,
    ],
    [['postgres://root:hunter2@db/app'], /no command of that name/],
    [['status', 'postgres://root:hunter2@db/app'], /takes options only/],
  ])('%j', async (args, message) => {
    const outcome = await runCli(args, { databaseUrl: database.url })
    expect(outcome).toMatchObject({ status: 2, stdout: expect.not.stringContaining('hunter2') })
    expect(outcome.stderr).toMatch(message)
    expect(outcome.stderr).not.toContain('hunter2')
    expectTwoLines(outcome)
  })

  test('no command at all shows the help, and help is there for everything', async () => {
    const nothing = await runCli([])
    expect(nothing).toMatchObject({ status: 2, stdout: '' })
    const help = await runCli(['--help'])
    expect(help).toEqual({ status: 0, stdout: nothing.stderr, stderr: '' })
    expect(help.stdout).toMatch(
      /status .*\n.*doctor .*\n.*migrate .*\n.*sql .*\n.*purge .*\n.*list .*\n.*destroy /,
    )
    const one = await runCli(['purge', '--help'])
    expect(one).toMatchObject({ status: 0, stdout: expect.stringMatching(/--batch-size=<number>/) })
    const { version } = JSON.parse(
      readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
    )
    expect(await runCli(['--version'])).toMatchObject({ status: 0, stdout: `${version}\n` })
  })

  test('no database named', async () => {
    const outcome = await runCli(['status'])
    expect(outcome).toMatchObject({ status: 2, stderr: expect.stringContaining('DATABASE_URL') })
    expectTwoLines(outcome)
  })
})

describe('failing, it exits with 1 and says what to do', () => {
  test('without tables: every command that needs them names the fix', async () => {
    for (const args of [['status'], ['list'], ['purge'], ['destroy', id]]) {
      const outcome = await runCli(args, { databaseUrl: database.url })
      expect(outcome).toMatchObject({ status: 1, stdout: '' })
      expect(outcome.stderr).toContain('Run `npx pg-sessions migrate`')
      expectTwoLines(outcome)
    }
    expect(await database.query(`select 1 from pg_namespace where nspname = 'sessions'`)).toEqual(
      [],
    )
  })

  test('no server: it says where it looked, and keeps the password to itself', async () => {
    const url = 'postgres://ann:hunter2@127.0.0.1:1/shop'
    const outcome = await runCli(['status', '--json', '--database-url', url])
    expect(outcome.status).toBe(1)
    expect(outcome.stderr).toMatch(/could not be reached.*127\.0\.0\.1:1\/shop \(ECONNREFUSED\)/)
    expect(outcome.stderr + outcome.stdout).not.toContain('hunter2')
    expectTwoLines(outcome)
    expect(JSON.parse(outcome.stdout)).toEqual({
      error: {
        code: 'ERR_STORE_UNAVAILABLE',
        message: expect.stringContaining('127.0.0.1:1/shop'),
        advice: 'Start PostgreSQL there, or correct host and port in --database-url.',
      },
    })
  })

  test('a server that never answers: it gives up after --timeout, and ends', async () => {
    const silent = createServer()
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void silent.close())
    const { port } = silent.address() as { port: number }
    const databaseUrl = `postgres://ann@127.0.0.1:${port}/shop`
    const outcome = await runCli(['status', '--timeout', '300ms'], { databaseUrl })
    expect(outcome).toMatchObject({ status: 1, stderr: expect.stringContaining(`:${port}/shop`) })
    expectTwoLines(outcome)
  })

  test('a database that does not exist', async () => {
    const url = new URL(database.url)
    url.pathname = '/nowhere'
    const outcome = await runCli(['status'], { databaseUrl: url.href })
    expect(outcome).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('There is no database named nowhere'),
    })
    expectTwoLines(outcome)
  })

  test('the package pg is not installed: it says so, and how to get it', async () => {
    const root = mkdtempSync(join(tmpdir(), 'pg-sessions-cli-'))
    onTestFinished(() => rmSync(root, { recursive: true }))
    const repository = fileURLToPath(new URL('../..', import.meta.url))
    cpSync(join(repository, 'package.json'), join(root, 'package.json'))
    const program = installedCli(root)
    mkdirSync(dirname(program), { recursive: true })
    cpSync(await bundledCli(), program)
    const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    for (const name of Object.keys(dependencies)) {
      symlinkSync(join(repository, 'node_modules', name), join(root, 'node_modules', name))
    }
    const outcome = await runCli(['status'], { installedIn: root, databaseUrl: database.url })
    expect(outcome).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('npm install --save-dev pg'),
    })
    expectTwoLines(outcome)
  })
})
