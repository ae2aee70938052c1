import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EmbeddedPostgres, startEmbeddedPostgres } from 'pg-sessions/embedded-postgres'

/** A PostgreSQL server for one test file, which may be stopped, watched and set up as it likes. */
export class OwnServer implements AsyncDisposable {
  readonly #folder: string
  readonly #settings: Readonly<Record<string, string>>
  #running: EmbeddedPostgres

  /** Use `startOwnServer`. */
  constructor(
    folder: string,
    settings: Readonly<Record<string, string>>,
    running: EmbeddedPostgres,
  ) {
    this.#folder = folder
    this.#settings = settings
    this.#running = running
  }

  /** The superuser's connection string. It stays the same over restarts. */
  get url(): string {
    return this.#running.url
  }

  get dataDirectory(): string {
    return this.#folder
  }

  /** What the server has logged since it was started. */
  get logFile(): string {
    return this.#running.logFile
  }

  async stop(): Promise<void> {
    await this.#running.stop()
  }

  /** Starts it again, on the same port and data. */
  async restart(): Promise<void> {
    await this.#running.stop()
    this.#running = await start(this.#folder, this.#settings, this.#running.port)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running.stop()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

/** Starts a server of the version under test, of its own settings. */
export async function startOwnServer(
  settings: Readonly<Record<string, string>> = {},
): Promise<OwnServer> {
  const folder = await mkdtemp(join(tmpdir(), 'pg-sessions-test-'))
  // As root the server runs under another account, which must be able to pass.
  await chmod(folder, 0o755)
  return new OwnServer(folder, settings, await start(folder, settings))
}

async function start(
  dataDirectory: string,
  settings: Readonly<Record<string, string>>,
  port?: number,
): Promise<EmbeddedPostgres> {
  const binaries = process.env.TEST_POSTGRES_BINARIES
  return await startEmbeddedPostgres({
    dataDirectory,
    settings,
    ...(port === undefined ? {} : { port }),
    ...(binaries ? { binaries } : {}),
  })
}
