import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

export interface PgBouncerOptions {
  readonly mode: 'transaction' | 'statement' | 'session'
  /** Settings of pgbouncer.ini beside those of `startPgBouncer`. */
  readonly settings?: Readonly<Record<string, string | number>>
}

export interface PgBouncer extends AsyncDisposable {
  /** The database's connection string by way of the pooler. It stays the same over restarts. */
  readonly url: string
  /** Kills it, as a host that fails, and starts it again. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** A PgBouncer that is installed here. */
export interface Installed {
  readonly executable: string
  /** `1.18.0` */
  readonly version: string
  /** Whether it tracks prepared statements in transaction mode, which began with 1.21. */
  readonly tracks: boolean
}

/** Finds PgBouncer in PATH and in the folder of Debian, and each that `PGBOUNCER` names, separated by `:`. */
export async function findPgBouncers(): Promise<Installed[]> {
  const named = (process.env['PGBOUNCER'] ?? '').split(':').filter(Boolean)
  const found: Installed[] = []
  for (const executable of [...named, 'pgbouncer', '/usr/sbin/pgbouncer']) {
    const version = await versionOf(executable)
    if (version === null || found.some((other) => other.version === version)) continue
    const [major = 0, minor = 0] = version.split('.').map(Number)
    found.push({ executable, version, tracks: major > 1 || minor >= 21 })
  }
  return found
}

async function versionOf(executable: string): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)(executable, ['--version'])
    return /PgBouncer (\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? null
  } catch {
    return null
  }
}

/** Starts one in front of a database. It takes any user and password. */
export async function startPgBouncer(
  { executable }: Installed,
  databaseUrl: string,
  { mode, settings = {} }: PgBouncerOptions,
): Promise<PgBouncer> {
  const folder = await mkdtemp(join(tmpdir(), 'pg-sessions-pgbouncer-'))
  await chmod(folder, 0o755)
  const port = await freePort()
  const target = new URL(databaseUrl)
  const file = join(folder, 'pgbouncer.ini')
  await writeFile(file, configuration(target, port, { pool_mode: mode, ...settings }))
  // As root it runs only if it is told under which account.
  const account = userInfo().uid === 0 ? ['-u', 'nobody'] : []
  let child: ChildProcess
  const start = async (): Promise<void> => {
    child = spawn(executable, ['-q', ...account, file], { stdio: ['ignore', 'ignore', 'pipe'] })
    let log = ''
    child.stderr?.on('data', (piece) => {
      log += piece
    })
    while (!(await answers(port))) {
      if (child.exitCode !== null) throw new Error(`PgBouncer did not start: ${log}`)
    }
  }
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
  }
  await start()
  target.hostname = '127.0.0.1'
  target.port = String(port)
  return {
    url: target.href,
    stop,
    restart: async () => {
      await stop()
      await start()
    },
    [Symbol.asyncDispose]: async () => {
      await stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function configuration(
  { hostname, port: serverPort, username, password }: URL,
  port: number,
  settings: Readonly<Record<string, string | number>>,
): string {
  const server = `host=${hostname} port=${serverPort || 5432} user=${username} password=${decodeURIComponent(password)}`
  const all = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: 'any',
    default_pool_size: 4,
    max_client_conn: 200,
    ...settings,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}`)
  return ['[databases]', `* = ${server}`, '[pgbouncer]', ...lines, ''].join('\n')
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => setTimeout(resolve, 20, false))
  })
}
