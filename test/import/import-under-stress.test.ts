import { spawn } from 'node:child_process'
import { once } from 'node:events'
import pg from 'pg'
import { PostgresStore } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sidIdentity } from '../../src/compatibility/by-sid/sid-identity.ts'
import { bundledCli, runCli } from '../cli/run-cli.ts'
import { type OldApplication, openOldApplication } from './old-application.ts'

const SESSIONS = 3000

let old: OldApplication
beforeEach(async () => {
  old = await openOldApplication()
  const store = new PostgresStore({ driver: fromPg(old.pool) })
  await store.ready()
  await old.pool.query(
    `insert into session (sid, sess, expire)
     select 'sid ' || n, json_build_object('cookie', '{}'::json, 'n', n), now() + interval '1 day'
     from generate_series(1, $1::int) as n`,
    [SESSIONS],
  )
})
afterEach(() => old.dispose())

const args = ['import', 'connect-pg-simple', '--batch-size', '10', '--json']

async function count(from: string): Promise<number> {
  const [row] = await old.database.query(`select count(*)::int as n from ${from}`)
  return row?.n as number
}

const here = (): Promise<number> => count('sessions.session where expires_at > now()')
const there = (): Promise<number> => count('session')

/** Waits until the server has noticed that a killed client is gone. */
async function untilNobodyImports(): Promise<void> {
  while ((await count("pg_stat_activity where application_name = 'pg-sessions'")) > 0) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

test('killed in the middle, every session is in one place, and another run brings the rest', async () => {
  const child = spawn(process.execPath, [await bundledCli(), ...args], {
    env: { ...process.env, DATABASE_URL: old.database.url },
    stdio: 'ignore',
  })
  const exited = once(child, 'exit')
  while ((await here()) === 0) await new Promise((resolve) => setTimeout(resolve, 2))
  child.kill('SIGKILL')
  await exited
  await untilNobodyImports()

  const [moved, left] = [await here(), await there()]
  expect(moved).toBeGreaterThan(0)
  expect(moved + left).toBe(SESSIONS)
  const { status, stdout } = await runCli(args, { databaseUrl: old.database.url })
  expect(status).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ moved: left, left: { known: 0, busy: 0 } })
  expect([await here(), await there()]).toEqual([SESSIONS, 0])
  expect(await count('sessions.session_data')).toBe(2 * SESSIONS)
}, 60_000)

test('told to stop, it ends after its batch, says so, and exits with 1', async () => {
  const child = spawn(process.execPath, [await bundledCli(), ...args], {
    env: { ...process.env, DATABASE_URL: old.database.url },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const chunks: string[] = []
  child.stdout?.on('data', (chunk) => chunks.push(String(chunk)))
  const exited = once(child, 'close')
  while ((await here()) === 0) await new Promise((resolve) => setTimeout(resolve, 2))
  child.kill('SIGINT')
  const [status] = await exited
  const report = JSON.parse(chunks.join(''))
  expect({ status, complete: report.complete }).toEqual({ status: 1, complete: false })
  expect([await here(), await there()]).toEqual([report.moved, SESSIONS - report.moved])
}, 60_000)

test('two at once share the work: each session is moved by one of them', async () => {
  const reports = await Promise.all(
    [0, 1].map(async () => {
      const { stdout } = await runCli(args, { databaseUrl: old.database.url })
      return JSON.parse(stdout) as { moved: number; left: { known: number } }
    }),
  )
  expect(reports.reduce((sum, { moved }) => sum + moved, 0)).toBe(SESSIONS)
  expect([await here(), await there()]).toEqual([SESSIONS, 0])
}, 60_000)

test('beside an old application that writes all the time, what it wrote last is what moves', async () => {
  const writer = new pg.Client({ connectionString: old.database.url })
  await writer.connect()
  const latest = new Map<string, number>()
  let isOver = false
  const writing = (async () => {
    for (let turn = 1; !isOver; turn++) {
      const sid = `sid ${1 + Math.floor(Math.random() * SESSIONS)}`
      // An update, as of an application that does not write late: a late row is another test's matter.
      const { rowCount } = await writer.query(
        `update session set sess = json_build_object('cookie', '{}'::json, 'n', $2::int) where sid = $1`,
        [sid, -turn],
      )
      if (rowCount === 1) latest.set(sid, -turn)
    }
  })()
  const { status, stdout } = await runCli(args, { databaseUrl: old.database.url })
  isOver = true
  await writing
  await writer.end()
  expect({ status, report: JSON.parse(stdout) }).toMatchObject({
    status: 0,
    report: { moved: SESSIONS },
  })
  const store = new PostgresStore({ driver: fromPg(old.pool) })
  const lost: string[] = []
  for (const [sid, n] of latest) {
    const found = await store.load(sidIdentity(sid).proof)
    const entries = found.status === 'live' ? found.record.entries : []
    const kept = entries.find(({ key }) => Buffer.from(key).toString() === 'n')
    if (Buffer.from(kept?.value ?? []).toString() !== String(n)) lost.push(sid)
  }
  expect(latest.size).toBeGreaterThan(0)
  expect(lost).toEqual([])
}, 60_000)
