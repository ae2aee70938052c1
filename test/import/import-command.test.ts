import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Outcome, runCli } from '../cli/run-cli.ts'
import { type OldApplication, openOldApplication } from './old-application.ts'

let old: OldApplication
beforeEach(async () => {
  old = await openOldApplication()
})
afterEach(() => old.dispose())

const run = (...args: string[]): Promise<Outcome> => runCli(args, { databaseUrl: old.database.url })

const importThem = (...args: string[]): Promise<Outcome> =>
  run('import', 'connect-pg-simple', ...args)

test('it says what it would do, does it, and has nothing left to do; status keeps count', async () => {
  await run('migrate')
  for (let each = 0; each < 7; each++) await old.save(`sid ${each}`, { each })
  await old.insert('gone', '{}', "now() - interval '1 hour'")

  await old.pool.query('create table measurements (sid text, sess json, expire bigint)')
  const before = await run('status')
  expect(before.status).toBe(0)
  expect(before.stdout).toMatch(
    /^left out {8}public\.measurements has columns .*, but expire is bigint, which is not a date$/m,
  )
  expect(before.stdout).toMatch(
    /^left to move {4}7 sessions of connect-pg-simple in public\.session, and 1 expired$/m,
  )
  const rehearsal = await importThem('--dry-run')
  expect(rehearsal).toMatchObject({ status: 0 })
  expect(rehearsal.stdout).toMatch(
    /^Would move 7 sessions of connect-pg-simple in [\d.]+ s\.\nLeft 1 row whose deadline has passed\.\n$/,
  )
  expect(await old.sids()).toHaveLength(8)

  const done = await importThem('--batch-size', '3')
  expect(done).toMatchObject({ status: 0 })
  expect(done.stdout).toMatch(/^Moved 7 sessions of connect-pg-simple/)
  expect(await old.sids()).toEqual(['gone'])

  const again = await importThem('--json')
  expect(again).toMatchObject({ status: 0 })
  expect(JSON.parse(again.stdout)).toEqual({
    system: 'connect-pg-simple',
    dryRun: false,
    complete: true,
    moved: 0,
    left: { expired: 1, known: 0, busy: 0, unreadable: [] },
    seconds: expect.any(Number),
  })
  const after = await run('status', '--json')
  expect(JSON.parse(after.stdout)).toMatchObject({
    live: 7,
    connectPgSimple: [
      { table: 'measurements', problem: 'expire is bigint, which is not a date' },
      { schema: 'public', table: 'session', live: 0, expired: 1, problem: null },
    ],
  })
}, 60_000)

test('rows that cannot be sessions are left, counted, and named by their public id alone', async () => {
  await run('migrate')
  await old.insert('secret 1', '[1]')
  await old.insert('secret 2', '{"cookie":{},"nul \\u0000":1}')
  await old.insert('secret 3', '{"cookie":{},"half \\ud800":1}')
  await old.insert('secret 4', JSON.stringify({ big: 'x'.repeat(5_000_000) }))
  await old.insert('secret 5', 'null')
  await old.insert('secret 6', '{"value":"nul \\u0000 and half \\ud800"}')
  const outcome = await importThem()
  expect(outcome.status).toBe(0)
  expect(outcome.stdout.split('\n')).toEqual([
    expect.stringMatching(/^Moved 1 session /),
    expect.stringMatching(/^Left 2 rows that cannot be a session here: no JSON object \(would be /),
    expect.stringMatching(/^Left 2 rows that cannot .* a key with U\+0000 or half of a surrogate/),
    expect.stringMatching(/^Left 1 row that cannot be .* larger than 4 MiB/),
    '',
  ])
  expect(outcome.stdout + outcome.stderr).not.toContain('secret')
  expect(await old.sids()).toHaveLength(5)
}, 60_000)

test('asked wrongly, it says what to write', async () => {
  expect(await importThem()).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('npx pg-sessions migrate'),
  })
  await run('migrate')
  expect(await importThem('--table', 'sesion')).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/no table sesion .*\nThese have them: public\.session\. Write/),
  })
  expect(await run('import')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('connect-pg-simple'),
  })
  expect(await importThem('--time-zone', 'Mars')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('America/New_York'),
  })
  expect(await importThem('--idle-timeout', '60')).toMatchObject({ status: 2 })
}, 60_000)

test('it encrypts what it moves, and refuses to write in clear beside encrypted values', async () => {
  const PG_SESSIONS_SEAL_KEYS = randomBytes(32).toString('base64')
  const sealing = (...args: string[]): Promise<Outcome> =>
    runCli(args, { databaseUrl: old.database.url, environment: { PG_SESSIONS_SEAL_KEYS } })
  await run('migrate')
  await old.save('sid 1', { secret: 'of ann' })
  expect(await sealing('import', 'connect-pg-simple')).toMatchObject({ status: 0 })
  const { rows } = await old.pool.query('select value from sessions.session_data')
  const heads = new Set(rows.map(({ value }) => value.subarray(0, 5).toString()))
  expect([...heads]).toEqual(['\0seal'])
  await old.save('sid 2', { secret: 'of bob' })
  const refused = await importThem()
  expect(refused).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('PG_SESSIONS_SEAL_KEYS'),
  })
  expect(await old.sids()).toEqual(['sid 2'])
  const report = await sealing('reseal', '--json')
  expect(JSON.parse(report.stdout)).toMatchObject({ resealed: 0, failed: 0 })
}, 60_000)
