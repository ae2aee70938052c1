import { type AddressInfo, createServer, type Server, type Socket, connect as tcp } from 'node:net'
import { type PostgresMessage, PostgresMessages, type Side } from './postgres-messages.ts'

/**
 * What the network does. A `hole` takes everything and passes nothing on; what it has taken goes on
 * its way when the mode changes.
 */
type Mode = { readonly kind: 'hole' } | { readonly kind: 'pass'; readonly delay: number }

/** Cuts the connection of the first message for which `match` tells so. */
interface Trap {
  readonly match: (message: PostgresMessage) => boolean
  readonly passOn: boolean
  readonly sprung: () => void
}

/** A network between a client and PostgreSQL that fails on demand. */
export class TcpProxy implements AsyncDisposable {
  /** The database's connection string by way of the proxy. It stays the same. */
  readonly url: string
  readonly #target: { readonly host: string; readonly port: number }
  readonly #links = new Set<Link>()
  readonly #traps = new Set<Trap>()
  readonly #listeners: ((message: PostgresMessage) => void)[] = []
  readonly #port: number
  #server: Server
  #mode: Mode = { kind: 'pass', delay: 0 }

  /** Use `startTcpProxy`. */
  constructor(databaseUrl: string, server: Server) {
    const url = new URL(databaseUrl)
    this.#target = { host: url.hostname, port: Number(url.port || 5432) }
    this.#server = server
    this.#port = (server.address() as AddressInfo).port
    url.hostname = '127.0.0.1'
    url.port = String(this.#port)
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

  /** Passes everything on so many milliseconds later, in both directions. */
  async delay(milliseconds: number): Promise<void> {
    await this.#change({ kind: 'pass', delay: milliseconds })
  }

  /** Cuts all connections and refuses new ones, as a server that is down. */
  async refuse(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.cut()
    await closed
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
    return this.#trap(({ from }) => from === side && --left === 0, true)
  }

  /**
   * Cuts a connection instead of passing on the first message that matches. Resolves when that has
   * happened. A reply that gets lost: `cutBefore(({ from, type }) => type === 'C')`.
   */
  cutBefore(match: (message: PostgresMessage) => boolean): Promise<void> {
    return this.#trap(match, false)
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
    this.#server = await listen(this.#port)
    this.#server.on('connection', (client) => this.#accept(client))
  }

  #trap(match: Trap['match'], passOn: boolean): Promise<void> {
    return new Promise((sprung) => this.#traps.add({ match, passOn, sprung }))
  }

  #accept(client: Socket): void {
    const link = new Link(client, tcp(this.#target), this.#mode, (message) => this.#judge(message))
    this.#links.add(link)
    link.onClosed(() => this.#links.delete(link))
  }

  #judge(message: PostgresMessage): 'pass' | 'pass and cut' | 'cut' {
    for (const listener of this.#listeners) listener(message)
    for (const trap of this.#traps) {
      if (!trap.match(message)) continue
      this.#traps.delete(trap)
      trap.sprung()
      return trap.passOn ? 'pass and cut' : 'cut'
    }
    return 'pass'
  }
}

/** Starts a proxy in front of the database that a connection string names. */
export async function startTcpProxy(databaseUrl: string): Promise<TcpProxy> {
  return new TcpProxy(databaseUrl, await listen(0))
}

async function listen(port: number): Promise<Server> {
  const server = createServer({ allowHalfOpen: true })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return server
}

/** One connection of a client and its counterpart to the server. */
class Link {
  readonly #lanes: readonly [Lane, Lane]
  readonly #sockets: readonly [Socket, Socket]

  constructor(
    client: Socket,
    server: Socket,
    mode: Mode,
    judge: (message: PostgresMessage) => 'pass' | 'pass and cut' | 'cut',
  ) {
    this.#sockets = [client, server]
    const lanes = { client: new Lane(server, mode), server: new Lane(client, mode) }
    this.#lanes = [lanes.client, lanes.server]
    const messages = new PostgresMessages()
    const sides: [Side, Socket][] = [
      ['client', client],
      ['server', server],
    ]
    for (const [side, socket] of sides) {
      socket.on('error', () => this.cut())
      socket.on('end', () => lanes[side].end())
      socket.on('data', (piece) => {
        for (const message of messages.take(side, piece)) {
          const verdict = judge(message)
          if (verdict !== 'cut') lanes[side].push(message.bytes)
          if (verdict !== 'pass') return this.#cutAfterWriting()
        }
      })
    }
  }

  setMode(mode: Mode): void {
    for (const lane of this.#lanes) lane.setMode(mode)
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  onClosed(listener: () => void): void {
    this.#sockets[0].once('close', listener)
    this.#sockets[0].once('close', () => this.#sockets[1].destroy())
  }

  /** What was passed on before arrives. */
  #cutAfterWriting(): void {
    for (const socket of this.#sockets) {
      socket.removeAllListeners('data')
      socket.destroySoon()
    }
  }
}

/** One direction of a connection. */
class Lane {
  readonly #to: Socket
  readonly #held: { readonly bytes: Buffer | 'end'; readonly since: number }[] = []
  #mode: Mode
  #timer: NodeJS.Timeout | undefined

  constructor(to: Socket, mode: Mode) {
    this.#to = to
    this.#mode = mode
  }

  push(bytes: Buffer | 'end'): void {
    this.#held.push({ bytes, since: Date.now() })
    this.#passOn()
  }

  end(): void {
    this.push('end')
  }

  setMode(mode: Mode): void {
    this.#mode = mode
    this.#passOn()
  }

  #passOn(): void {
    clearTimeout(this.#timer)
    while (this.#mode.kind === 'pass') {
      const next = this.#held[0]
      if (next === undefined) return
      const wait = next.since + this.#mode.delay - Date.now()
      if (wait > 0) {
        this.#timer = setTimeout(() => this.#passOn(), wait)
        return
      }
      this.#held.shift()
      if (next.bytes === 'end') this.#to.end()
      else this.#to.write(next.bytes)
    }
  }
}
