import { realTime } from '../../real-time.ts'
import { ReadOnlyServer } from './read-only-server.ts'
import { Turns } from './turns.ts'

/** A connection that only a driver uses, one statement at a time. */
export interface OwnConnection {
  /** Whether it must not be used again. */
  readonly isDead: boolean
  /** Lets the process end although it is open, and closes it if nothing wakes it in time. */
  rest(milliseconds: number): void
  /** Ends a rest. */
  wake(): void
  /** Drops it at once, whatever is in flight. */
  discard(reason: unknown): void
  /** Says goodbye to the server. Only without a statement in flight. */
  close(): Promise<void>
}

/** What {@link OwnConnections} need to know. */
export interface OwnConnectionsOptions<Connection extends OwnConnection> {
  /** How many there may be at the same time. */
  readonly max: number
  /** Milliseconds after which an idle one is closed. */
  readonly idleFor: number
  /** @param onDeath - Called once, when the connection must not be used again. */
  make(onDeath: () => void): Connection
  /** The error of those who ask after the application has ended its client. */
  ended(): Error
}

/**
 * A driver's own connections beside those of an application's client: as many as the client may have, made
 * when they are needed, and ended with it.
 */
export class OwnConnections<Connection extends OwnConnection> {
  readonly #options: OwnConnectionsOptions<Connection>
  readonly #turns: Turns
  readonly #idle: Connection[] = []
  readonly #open = new Set<Connection>()
  readonly #readOnly = new ReadOnlyServer()
  #isEnded = false
  #onEmpty: () => void = () => {}

  constructor(options: OwnConnectionsOptions<Connection>) {
    this.#options = options
    this.#turns = new Turns(Math.max(1, options.max))
  }

  /**
   * Lends a connection that nothing else uses until `use` settles.
   *
   * @param timeout - Milliseconds to wait for it; as long as it takes if left out.
   */
  async lend<Result>(
    timeout: number | undefined,
    use: (connection: Connection) => Promise<Result>,
  ): Promise<Result> {
    if (this.#isEnded) throw this.#options.ended()
    const endTurn = await this.#turns.take(timeout)
    try {
      if (this.#isEnded) throw this.#options.ended()
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

  #make(): Connection {
    const connection = this.#options.make(() => this.#forget(connection))
    this.#open.add(connection)
    return connection
  }

  async #giveBack(connection: Connection): Promise<void> {
    if (connection.isDead) return
    if (this.#isEnded) return await connection.close()
    connection.rest(this.#options.idleFor)
    this.#idle.push(connection)
  }

  #forget(connection: Connection): void {
    this.#open.delete(connection)
    const index = this.#idle.indexOf(connection)
    if (index >= 0) this.#idle.splice(index, 1)
    if (this.#open.size === 0) this.#onEmpty()
  }

  /**
   * Ends with the client, as it does: statements in flight are answered, for as long as it waits for its own.
   *
   * @param seconds - Until the statements in flight are cut off; as long as they take if left out.
   */
  async end(seconds: number | undefined): Promise<void> {
    this.#isEnded = true
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve
    })
    await Promise.all([...this.#idle].map((connection) => connection.close()))
    if (this.#open.size === 0) return
    if (seconds === undefined) return await empty
    const discard = (): void => {
      for (const connection of [...this.#open]) connection.discard(this.#options.ended())
    }
    const timer = realTime.setTimeout(discard, seconds * 1000)
    await empty
    realTime.clearTimeout(timer)
  }
}
