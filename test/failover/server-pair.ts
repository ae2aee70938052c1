import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { chown, mkdtemp, readdir, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'

const run = promisify(execFile)

/** The server does not run as root, so there it runs as the account that Debian makes for it. */
interface Account {
  readonly uid?: number
  readonly gid?: number
}

/** A PostgreSQL server of the pair. */
class Server {
  readonly port: number
  readonly url: string
  readonly #folder: string
  readonly #programs: Programs
  #child: ChildProcess | undefined

  constructor(folder: string, port: number, programs: Programs) {
    this.#folder = folder
    this.#programs = programs
    this.port = port
    this.url = `postgres://postgres@127.0.0.1:${port}/postgres`
  }

  async start(): Promise<void> {
    const settings = {
      port: this.port,
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      wal_level: 'replica',
      max_wal_senders: 5,
      hot_standby: 'on',
      // Only PostgreSQL is killed here, never the machine.
      fsync: 'off',
    }
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    this.#child = this.#programs.spawn('postgres', ['-D', this.#folder, ...args])
    while (!(await this.#answers())) {
      if (this.#child.exitCode !== null) throw new Error('PostgreSQL did not start')
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  /** Ends it without any preparation, as a machine that fails. */
  async crash(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGQUIT')
    await gone
  }

  /** Makes a standby the primary. Resolves once it takes writes. */
  async promote(): Promise<void> {
    await this.#programs.run('pg_ctl', ['promote', '-w', '-D', this.#folder])
  }

  async query(text: string): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: this.url })
    client.on('error', () => {})
    await client.connect()
    try {
      return (await client.query(text)).rows as Record<string, unknown>[]
    } finally {
      await client.end()
    }
  }

  #answers(): Promise<boolean> {
    return this.query('select 1').then(
      () => true,
      () => false,
    )
  }
}

/** A primary, and a standby that follows it. */
export interface ServerPair extends AsyncDisposable {
  readonly primary: Server
  readonly standby: Server
}

/** Starts one. With `synchronous`, a commit is acknowledged once the standby has it. */
export async function startServerPair({
  synchronous,
}: {
  readonly synchronous: boolean
}): Promise<ServerPair> {
  const programs = await findPrograms()
  const base = await mkdtemp(join(tmpdir(), 'pg-sessions-failover-'))
  const { uid, gid } = programs.account
  if (uid !== undefined && gid !== undefined) await chown(base, uid, gid)
  const [one, other] = [join(base, 'one'), join(base, 'other')]
  const primary = new Server(one, await freePort(), programs)
  const standby = new Server(other, await freePort(), programs)
  const initdb = ['-D', one, '-U', 'postgres', '-A', 'trust', '--no-sync', '-E', 'UTF8']
  await programs.run('initdb', initdb)
  await primary.start()
  const source = ['-h', '127.0.0.1', '-p', String(primary.port), '-U', 'postgres']
  const backup = ['-D', other, '-R', '-X', 'stream', '-c', 'fast', '--no-sync']
  await programs.run('pg_basebackup', [...source, ...backup])
  await standby.start()
  if (synchronous) {
    await primary.query(`alter system set synchronous_standby_names = '*'`)
    await primary.query('select pg_reload_conf()')
  }
  const following = synchronous ? `sync_state = 'sync'` : `state = 'streaming'`
  const followers = `select from pg_stat_replication where ${following}`
  while ((await primary.query(followers)).length === 0);
  return {
    primary,
    standby,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([primary.crash(), standby.crash()])
      await rm(base, { recursive: true, force: true })
    },
  }
}

interface Programs {
  readonly account: Account
  run(program: string, args: readonly string[]): Promise<void>
  spawn(program: string, args: readonly string[]): ChildProcess
}

/** Those of Debian, newest first, or those in PATH. */
async function findPrograms(): Promise<Programs> {
  const debian = '/usr/lib/postgresql'
  const versions = await readdir(debian).catch((): string[] => [])
  const newest = versions.sort((a, b) => Number(b) - Number(a))[0]
  const folder = newest === undefined ? '' : join(debian, newest, 'bin')
  const account = userInfo().uid === 0 ? await accountOfPostgres() : {}
  const cwd = tmpdir()
  return {
    account,
    run: async (program, args) => {
      await run(join(folder, program), args, { ...account, cwd })
    },
    spawn: (program, args) =>
      spawn(join(folder, program), args, { ...account, cwd, stdio: 'ignore' }),
  }
}

async function accountOfPostgres(): Promise<Account> {
  const [uid, gid] = await Promise.all(['-u', '-g'].map((what) => run('id', [what, 'postgres'])))
  return { uid: Number(uid?.stdout), gid: Number(gid?.stdout) }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
