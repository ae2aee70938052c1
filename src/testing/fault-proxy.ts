import { type AddressInfo, createServer, type Server, type Socket, connect as tcp } from 'node:net'
import { Link, type Mode, type Verdict } from './fault-proxy/link.ts'
import type { PostgresMessage, Side } from './fault-proxy/postgres-messages.ts'

/** What happens to the connection of the first message for which `match` returns true. */
interface Trap {
  readonly match: (message: PostgresMessage) => boolean
  readonly verdict: Exclude<Verdict, 'pass'>
  readonly sprung: () => void
}

/** Where a server listens. */
export interface ServerAddress {
  readonly host: string
  readonly port: number
}

/**
 * A network between a client and PostgreSQL that fails on demand, made by `startFaultProxy`.
 *
 * It reads the messages of connections that are not encrypted, so set TLS off on the client.
 */
export class FaultProxy implements AsyncDisposable {
  /** Where it listens. It stays the same. */
  readonly host: string = '127.0.0.1'
  readonly port: number
  /** The database's connection string by way of the proxy. */
  readonly url: string
  #target: ServerAddress
  readonly #links = new Set<Link>()
  #accepted = 0
  readonly #traps = new Set<Trap>()
  readonly #listeners: ((message: PostgresMessage) => void)[] = []
  #server: Server
  #mode: Mode = { kind: 'pass', delay: 0 }

  /** Use `startFaultProxy`. */
  constructor(databaseUrl: string, server: Server) {
    const url = new URL(databaseUrl)
    this.#target = { host: url.hostname, port: Number(url.port || 5432) }
    this.#server = server
    this.port = (server.address() as AddressInfo).port
    url.hostname = this.host
    url.port = String(this.port)
    this.url = url.href
    server.on('connection', (client) => this.#accept(client))
  }

  /** How many connections are open at this moment. */
  get connections(): number {
    return this.#links.size
  }

  /** Passes everything on, also what is held back. So it begins. */
  async pass(): Promise<void> {
    await this.#change({ kind: 'pass', delay: 0 })
  }

  /** Takes connections and bytes, also those of open connections, and passes nothing on. */
  async blackHole(): Promise<void> {
    await this.#change({ kind: 'hole' })
  }

  /** Passes new connections on. Those that are open now stay as they are, as after a failover. */
  passNew(): void {
    this.#mode = { kind: 'pass', delay: 0 }
  }

  /** Connects new connections to another server, as a switch does after a failover. */
  redirect(target: ServerAddress): void {
    this.#target = target
  }

  /** Passes everything on so many milliseconds later, in both directions. */
  async delay(milliseconds: number): Promise<void> {
    await this.#change({ kind: 'pass', delay: milliseconds })
  }

  /** Cuts all connections and refuses new ones, as a server that is down. */
  async refuse(): Promise<void> {
    const closed = this.refuseNew()
    this.cut()
    await closed
  }

  /** Refuses new connections. Those that are open stay; the promise resolves once they have ended. */
  async refuseNew(): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve))
  }

  /** Cuts all connections that are open now. */
  cut(): void {
    for (const link of this.#links) link.cut()
  }

  /**
   * Cuts a connection right after the `count`th message that `side` sends from now on, counted over
   * all connections. Resolves when that has happened.
   */
  cutAfter(side: Side, count: number): Promise<void> {
    let left = count
    return this.#trap(({ from }) => from === side && --left === 0, 'pass and cut')
  }

  /**
   * Cuts a connection instead of passing on the first message that matches. Resolves when that has
   * happened. A reply that gets lost: `cutBefore(({ from, type }) => from === 'server' && type === 'C')`.
   */
  cutBefore(match: (message: PostgresMessage) => boolean): Promise<void> {
    return this.#trap(match, 'cut')
  }

  /**
   * Holds back the first message that matches and, until `pass`, everything after it on its connection, in
   * both directions. Resolves when that has begun. A late reply: as for `cutBefore`.
   */
  hold(match: (message: PostgresMessage) => boolean): Promise<void> {
    return this.#trap(match, 'hold')
  }

  /**
   * Passes the first message that matches on byte by byte, each in a packet of its own. Resolves when that has
   * begun.
   */
  slice(match: (message: PostgresMessage) => boolean): Promise<void> {
    return this.#trap(match, 'slice')
  }

  /** Tells of every message from now on, before it is passed on. */
  onMessage(listener: (message: PostgresMessage) => void): void {
    this.#listeners.push(listener)
  }

  /** Ends the proxy and its connections. */
  async close(): Promise<void> {
    await this.refuse()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #change(mode: Mode): Promise<void> {
    this.#mode = mode
    for (const link of this.#links) link.setMode(mode)
    if (this.#server.listening) return
    this.#server = await listen(this.port)
    this.#server.on('connection', (client) => this.#accept(client))
  }

  #trap(match: Trap['match'], verdict: Trap['verdict']): Promise<void> {
    return new Promise((sprung) => this.#traps.add({ match, verdict, sprung }))
  }

  #accept(client: Socket): void {
    this.#accepted += 1
    const link = new Link(this.#accepted, client, tcp(this.#target), this.#mode, (message) =>
      this.#judge(message),
    )
    this.#links.add(link)
    link.onClosed(() => this.#links.delete(link))
  }

  #judge(message: PostgresMessage): Verdict {
    for (const listener of this.#listeners) listener(message)
    for (const trap of this.#traps) {
      if (!trap.match(message)) continue
      this.#traps.delete(trap)
      trap.sprung()
      return trap.verdict
    }
    return 'pass'
  }
}

/**
 * Starts a proxy that fails on demand in front of a PostgreSQL server.
 *
 * @param server - The connection string of a database, or where its server listens.
 * @example
 * ```ts
 * import { Pool } from 'pg'
 * import { startFaultProxy } from 'pg-sessions/testing'
 *
 * await using proxy = await startFaultProxy('postgres://ann@localhost/shop')
 * const pool = new Pool({ connectionString: proxy.url })
 * const lost = proxy.cutBefore(({ from, type }) => from === 'server' && type === 'C')
 * await pool.query('update stock set pieces = 0').catch((error: unknown) => error)
 * await lost // The server has done it, and the client was never told.
 * ```
 */
export async function startFaultProxy(server: string | ServerAddress): Promise<FaultProxy> {
  const url = typeof server === 'string' ? server : `postgres://${server.host}:${server.port}`
  return new FaultProxy(url, await listen(0))
}

async function listen(port: number): Promise<Server> {
  const server = createServer({ allowHalfOpen: true })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return server
}
