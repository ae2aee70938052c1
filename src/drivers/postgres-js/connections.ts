import { processWide } from '../../process-wide.ts'
import { realTime } from '../../real-time.ts'
import { ReadOnlyServer } from '../waiting/read-only-server.ts'
import { Turns } from '../waiting/turns.ts'
import type { PostgresJsLike, PostgresJsSettings } from './client.ts'
import { PostgresJsConnection } from './connection.ts'

/** The application has ended the client that the driver was made of. */
export class ClientEndedError extends Error {
  readonly code: string = 'CONNECTION_ENDED'

  constructor() {
    super('The client of postgres.js given to fromPostgresJs has been ended')
  }

  override get name(): string {
    return 'ClientEndedError'
  }
}

/** Milliseconds after which an idle connection is closed, where the client has no `idle_timeout`. */
const IDLE = 60_000

/**
 * The driver's own connections beside those of an application's client: as many as the client may have, made
 * when they are needed, and ended with it.
 */
export class PostgresJsConnections {
  readonly #settings: PostgresJsSettings
  readonly #turns: Turns
  readonly #idle: PostgresJsConnection[] = []
  readonly #open = new Set<PostgresJsConnection>()
  readonly #readOnly = new ReadOnlyServer()
  #isEnded = false
  #onEmpty: () => void = () => {}

  constructor(sql: PostgresJsLike) {
    this.#settings = sql.options
    this.#turns = new Turns(Math.max(1, sql.options.max ?? 10))
    const { end } = sql
    sql.end = async (options) => {
      await Promise.all([end.call(sql, options), this.#end(options?.timeout)])
    }
  }

  /**
   * Lends a connection that nothing else uses until `use` settles.
   *
   * @param timeout - Milliseconds to wait for it; as long as it takes if left out.
   */
  async lend<Result>(
    timeout: number | undefined,
    use: (connection: PostgresJsConnection) => Promise<Result>,
  ): Promise<Result> {
    if (this.#isEnded) throw new ClientEndedError()
    const endTurn = await this.#turns.take(timeout)
    try {
      if (this.#isEnded) throw new ClientEndedError()
      const connection = this.#idle.pop() ?? this.#make()
      connection.wake()
      try {
        return await use(connection)
      } catch (error) {
        if (this.#readOnly.note(error)) for (const idle of [...this.#idle]) void idle.close()
        throw error
      } finally {
        await this.#giveBack(connection)
      }
    } finally {
      endTurn()
    }
  }

  #make(): PostgresJsConnection {
    const connection = new PostgresJsConnection(this.#settings, () => this.#forget(connection))
    this.#open.add(connection)
    return connection
  }

  async #giveBack(connection: PostgresJsConnection): Promise<void> {
    if (connection.isDead) return
    if (this.#isEnded) return await connection.close()
    const { idle_timeout: seconds } = this.#settings
    connection.rest(seconds ? seconds * 1000 : IDLE)
    this.#idle.push(connection)
  }

  #forget(connection: PostgresJsConnection): void {
    this.#open.delete(connection)
    const index = this.#idle.indexOf(connection)
    if (index >= 0) this.#idle.splice(index, 1)
    if (this.#open.size === 0) this.#onEmpty()
  }

  /** Ends with the client, as it does: statements in flight are answered, for as long as it waits for its own. */
  async #end(timeout: number | undefined): Promise<void> {
    this.#isEnded = true
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve
    })
    await Promise.all([...this.#idle].map((connection) => connection.close()))
    if (this.#open.size === 0) return
    if (timeout === undefined) return await empty
    const discard = (): void => {
      for (const connection of [...this.#open]) connection.discard(new ClientEndedError())
    }
    const timer = realTime.setTimeout(discard, timeout * 1000)
    await empty
    realTime.clearTimeout(timer)
  }
}

const known = processWide('postgres-js', () => new WeakMap<PostgresJsLike, PostgresJsConnections>())

/** The connections beside a client, the same for all drivers that are made of it. */
export function connectionsBeside(sql: PostgresJsLike): PostgresJsConnections {
  const connections = known.get(sql) ?? new PostgresJsConnections(sql)
  known.set(sql, connections)
  return connections
}
