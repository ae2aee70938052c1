import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:fs'
import { type FileHandle, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Account, programEnvironment } from './run-program.ts'
import { type Watchdog, watchOver } from './watchdog.ts'

/** Milliseconds that a server may take to start, that clients may take to leave, and that it may take to end. */
const PATIENCE = { start: 60_000, clients: 2000, stop: 10_000 }
const POLL_INTERVAL = 20
const LARGEST_LOG = 10 * 1024 * 1024

/** What a server process is started with. */
export interface ServerStart {
  readonly postgres: string
  /** PostgreSQL's data folder. */
  readonly data: string
  readonly port: number
  readonly settings: Readonly<Record<string, string>>
  readonly account: Account | undefined
  readonly logFile: string
  /** Removed when the server is stopped because this process is gone. */
  readonly temporaryDirectory: string | undefined
}

/** Why a server did not come up, and its last words. Nothing is left running. */
export interface StartFailure {
  readonly reason: 'port in use' | 'data in use' | 'other'
  readonly lastWords: string
}

/** A running server. */
export class ServerProcess {
  readonly #process: ChildProcess
  readonly #watchdog: Watchdog

  private constructor(process: ChildProcess, watchdog: Watchdog) {
    this.#process = process
    this.#watchdog = watchdog
  }

  /** Starts a server and waits, a minute at most, until it takes connections. */
  static async start(start: ServerStart): Promise<ServerProcess | StartFailure> {
    const log = await openLog(start.logFile)
    try {
      const begin = (await log.stat()).size
      const process = launch(start, log)
      const server = new ServerProcess(process, watchOver(process, start.temporaryDirectory))
      const deadline = Date.now() + PATIENCE.start
      while (!(await isReady(start.data, process.pid))) {
        if (hasEnded(process) || Date.now() > deadline) {
          await server.stop()
          return failure((await readFile(start.logFile)).subarray(begin).toString())
        }
        await sleep(POLL_INTERVAL)
      }
      return server
    } finally {
      await log.close()
    }
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  /**
   * Ends the server and writes everything to disk.
   *
   * Connections that are about to close get a moment to do so: `await pool.end()` of pg resolves before
   * its sockets are closed, and a server that cuts them then makes each client emit an `error` event that
   * no listener handles. Connections that stay open are cut.
   *
   * @see https://www.postgresql.org/docs/current/server-shutdown.html
   */
  async stop(): Promise<void> {
    // "Smart" shutdown, then "fast".
    this.#process.kill('SIGTERM')
    await this.#waitForEnd(PATIENCE.clients)
    this.#process.kill('SIGINT')
    await this.#waitForEnd(PATIENCE.stop)
    this.#process.kill('SIGKILL')
    await this.#waitForEnd(PATIENCE.stop)
    this.#watchdog.dismiss()
  }

  /** Asks again and again, since the child process does not keep ours alive while we wait for it. */
  async #waitForEnd(milliseconds: number): Promise<void> {
    const deadline = Date.now() + milliseconds
    while (!hasEnded(this.#process) && Date.now() < deadline) await sleep(POLL_INTERVAL)
  }
}

async function openLog(file: string): Promise<FileHandle> {
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = constants
  const openIt = (): Promise<FileHandle> =>
    open(file, O_APPEND | O_CREAT | O_NOFOLLOW | O_WRONLY, 0o600)
  const log = await openIt()
  if ((await log.stat()).size < LARGEST_LOG) return log
  await log.close()
  await rename(file, `${file}.old`)
  return openIt()
}

function launch(start: ServerStart, log: FileHandle): ChildProcess {
  const process = spawn(start.postgres, ['-D', start.data, ...settingsAsArguments(start)], {
    ...start.account,
    cwd: '/',
    env: programEnvironment,
    stdio: ['ignore', log.fd, log.fd],
    // Ctrl-C in a terminal goes to a whole process group; it must reach us only, or the server
    // would be gone before we have finished with it.
    detached: true,
  })
  // What went wrong shows in its having no number.
  process.once('error', () => {})
  process.unref()
  return process
}

function settingsAsArguments(start: ServerStart): string[] {
  const settings = {
    ...start.settings,
    port: String(start.port),
    listen_addresses: '127.0.0.1',
    // A socket's path has about 100 bytes, and temporary folders can be longer.
    unix_socket_directories: '',
  }
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

/** Tells whether a server on this data, maybe of another process, is shutting down. */
export async function isStopping(data: string): Promise<boolean> {
  return (await readState(data)).status === 'stopping'
}

async function isReady(data: string, pid: number | undefined): Promise<boolean> {
  const state = await readState(data)
  return state.pid === String(pid) && state.status === 'ready'
}

/** Reads what the server writes down for `pg_ctl`: in English whatever the locale. */
async function readState(data: string): Promise<Record<'pid' | 'status', string | undefined>> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')
  const lines = text.split('\n')
  return { pid: lines[0], status: lines[7]?.trim() }
}

function hasEnded(process: ChildProcess): boolean {
  return process.pid === undefined || process.exitCode !== null || process.signalCode !== null
}

function failure(log: string): StartFailure {
  const lastWords = log.trimEnd().split('\n').slice(-15).join('\n')
  if (/Address already in use/.test(log)) return { reason: 'port in use', lastWords }
  return /lock file "postmaster.pid" already exists|shared memory block .* still in use/.test(log)
    ? { reason: 'data in use', lastWords }
    : { reason: 'other', lastWords }
}
