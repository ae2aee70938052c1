import { execFile } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import type { FaultProxy } from 'pg-sessions/testing'
import { expect } from 'vitest'
import type { OwnServer } from '../support/own-server.ts'

/** A server, and the network before it. */
interface Target {
  readonly server: OwnServer
  readonly proxy: FaultProxy
}

/** Something that goes wrong while requests are under way. Ends when all is as before. */
export type Strike = (target: Target) => Promise<void>

/** Milliseconds that a call may take while it lasts. */
export const STRIKE_DEADLINE = 600

const LONGER = 1.5 * STRIKE_DEADLINE

/** What can strike, by what a test is called. */
export const strikes: Readonly<Record<string, Strike>> = {
  async 'backends are terminated, again and again'({ server }) {
    for (let n = 0; n < 8; n++) {
      await query(
        server,
        `select pg_terminate_backend(pid) from pg_stat_activity
         where backend_type = 'client backend' and pid <> pg_backend_pid()`,
      )
      await pause(15)
    }
  },
  async 'one backend is killed, and the server recovers'({ server }) {
    const [row] = await query(
      server,
      `select pid from pg_stat_activity
       where backend_type = 'client backend' and pid <> pg_backend_pid() limit 1`,
    )
    if (row !== undefined) process.kill(Number(row.pid), 'SIGKILL')
    await untilItAnswers(server)
  },
  async 'the server is stopped at once, and started again'({ server }) {
    const postmaster = await postmasterOf(server)
    process.kill(postmaster, 'SIGQUIT')
    await expect.poll(() => isRunning(postmaster), { timeout: 20_000 }).toBe(false)
    await server.restart()
    await untilItAnswers(server)
  },
  async 'the server stands still for longer than a call may take'({ server }) {
    const all = await processesOf(await postmasterOf(server))
    for (const pid of all) signal(pid, 'SIGSTOP')
    await pause(LONGER)
    for (const pid of all) signal(pid, 'SIGCONT')
    await untilItAnswers(server)
  },
  async 'the server takes no writes for a while'({ server }) {
    await query(server, 'alter system set default_transaction_read_only = on')
    await query(server, 'select pg_reload_conf()')
    await pause(50)
    await query(
      server,
      'set default_transaction_read_only = off; alter system reset default_transaction_read_only',
    )
    await query(server, 'select pg_reload_conf()')
    const isReadOnly = async () => (await query(server, 'show transaction_read_only'))[0]
    await expect.poll(isReadOnly, { timeout: 20_000 }).toEqual({ transaction_read_only: 'off' })
  },
  async 'the network swallows everything for longer than a call may take'({ proxy }) {
    await proxy.blackHole()
    await pause(LONGER)
    await proxy.pass()
  },
  async 'the network cuts all connections, and refuses new ones'({ proxy }) {
    await proxy.refuse()
    await pause(30)
    await proxy.pass()
  },
  async 'the clock of the application jumps'() {
    const { now } = Date
    try {
      for (const days of [400, -400, 1]) {
        Date.now = () => now() + days * 24 * 3_600_000
        await pause(20)
      }
    } finally {
      Date.now = now
    }
  },
  async 'the event loop stands still for longer than a call may take'() {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LONGER)
  },
}

/** Runs SQL on a connection of its own, past the proxy. */
async function query(server: OwnServer, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: server.url })
  client.on('error', () => {})
  await client.connect()
  try {
    const statements = sql.split(';')
    for (const statement of statements.slice(0, -1)) await client.query(statement)
    return (await client.query(statements.at(-1) ?? '')).rows
  } finally {
    await client.end()
  }
}

async function untilItAnswers(server: OwnServer): Promise<void> {
  const answers = () =>
    query(server, 'select 1').then(
      () => true,
      () => false,
    )
  await expect.poll(answers, { timeout: 60_000 }).toBe(true)
}

const run = promisify(execFile)

/** The server's first process. */
async function postmasterOf(server: OwnServer): Promise<number> {
  const file = `select split_part(pg_read_file('postmaster.pid'), E'\\n', 1) as pid`
  const [row] = await query(server, file)
  return Number(row?.pid)
}

/** The server's first process and its children. */
async function processesOf(postmaster: number): Promise<readonly number[]> {
  const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid='])
  const pairs = stdout.trim().split('\n')
  const children = pairs
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([pid = 0, parent]) => (parent === postmaster ? [pid] : []))
  return [postmaster, ...children]
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // A backend may have ended meanwhile.
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
