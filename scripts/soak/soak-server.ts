import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/embedded/index.ts'

/** A PostgreSQL server with data that survives a crash, on one port over all restarts. */
export class SoakServer {
  readonly #folder: string
  #running: EmbeddedPostgres

  private constructor(folder: string, running: EmbeddedPostgres) {
    this.#folder = folder
    this.#running = running
  }

  static async start(): Promise<SoakServer> {
    const folder = await mkdtemp(join(tmpdir(), 'pg-sessions-soak-'))
    // As root the server runs under another account, which must be able to pass.
    await chmod(folder, 0o755)
    return new SoakServer(folder, await startEmbeddedPostgres({ dataDirectory: folder }))
  }

  get url(): string {
    return this.#running.url
  }

  /** Stops the server, by SIGQUIT and without a checkpoint when `immediate`, and starts it again. */
  async restart(mode: 'fast' | 'immediate'): Promise<void> {
    const { port, pid } = this.#running
    if (mode === 'immediate') process.kill(pid, 'SIGQUIT')
    await this.#running.stop()
    this.#running = await startEmbeddedPostgres({ dataDirectory: this.#folder, port })
  }

  async stop(): Promise<void> {
    await this.#running.stop()
    await rm(this.#folder, { recursive: true, force: true })
  }
}
