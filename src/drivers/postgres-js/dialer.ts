import { connect, type Socket } from 'node:net'
import { realTime } from '../../real-time.ts'
import type { PostgresJsSettings } from './client.ts'

/** The server or the network closed a connection before the server was ready for a statement. */
export class ClosedDuringStartupError extends Error {
  readonly code: string = 'ECONNRESET'
  readonly syscall: string = 'connect'

  constructor() {
    super('The server closed the connection before it was ready')
  }

  override get name(): string {
    return 'ClosedDuringStartupError'
  }
}

interface Address {
  readonly host?: string
  readonly port?: number
  readonly path?: string
}

/**
 * Opens the sockets of one connection of postgres.js.
 *
 * Postgres.js by itself connects again and again while a server closes its connections, keeps to itself
 * what the network said, and cannot drop a socket. Here each host is tried once, then `failure` rejects.
 */
export class Dialer {
  /** Rejects once no host is left to try. Never resolves. */
  readonly failure: Promise<never>
  readonly #settings: PostgresJsSettings
  readonly #untried: Address[]
  readonly #sockets = new Set<Socket>()
  /** Makes `failure` reject. */
  fail: (error: unknown) => void = () => {}
  #fault: unknown
  #current: Address | undefined

  constructor(settings: PostgresJsSettings) {
    this.#settings = settings
    this.#untried = addressesOf(settings)
    this.failure = new Promise((_, reject) => {
      this.fail = reject
    })
    this.failure.catch(() => {})
  }

  /** Connects to the next host that answers. */
  async dial(): Promise<unknown> {
    for (;;) {
      const next = this.#untried.shift()
      if (next === undefined) {
        const fault = this.#fault ?? new ClosedDuringStartupError()
        this.fail(fault)
        throw fault
      }
      this.#current = next
      try {
        const socket = await reach(next, this.#settings, (own) => this.#keep(own))
        this.#failOnceClosed(socket)
        return socket
      } catch (error) {
        this.#fault = error
      }
    }
  }

  /** Connects once more to the host that answered last, to cancel a statement there. */
  async dialAgain(): Promise<unknown> {
    return await reach(this.#current ?? {}, this.#settings, (socket) => {
      socket.unref()
      const timer = realTime.setTimeout(() => socket.destroy(), PATIENCE)
      timer.unref()
      socket.once('close', () => realTime.clearTimeout(timer))
    })
  }

  /** Lets the process end although the connection is open, or no longer. */
  setIdle(isIdle: boolean): void {
    for (const socket of this.#sockets) isIdle ? socket.unref() : socket.ref()
  }

  /** Drops all sockets at once, and opens no more. */
  close(): void {
    this.#untried.length = 0
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Early versions 3.4 of postgres.js would go on with the closed socket, and never ask for another one. */
  #failOnceClosed(socket: unknown): void {
    if (this.#untried.length > 0 || typeof Object(socket).once !== 'function') return
    ;(socket as Socket).once('close', () => this.fail(new ClosedDuringStartupError()))
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }
}

/** Milliseconds that a cancel request may take. */
const PATIENCE = 5_000

async function reach(
  address: Address,
  { socket: own, keep_alive: keepAlive, ...settings }: PostgresJsSettings,
  onSocket: (socket: Socket) => void,
): Promise<unknown> {
  if (own !== undefined) return await own({ ...settings, keep_alive: keepAlive })
  const socket = connect(address as { host: string; port: number })
  onSocket(socket)
  if (keepAlive) socket.setKeepAlive(true, 1000 * keepAlive)
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
    socket.once('close', () => reject(new ClosedDuringStartupError()))
  })
  // Postgres.js takes the name for TLS from here, and host and port for its messages.
  return Object.assign(socket, { host: address.host, port: address.port })
}

function addressesOf({ host, port, path, socket }: PostgresJsSettings): Address[] {
  if (socket !== undefined) return [{}]
  if (typeof path === 'string') return [{ path }]
  return host.map((name, index) => ({ host: name, port: port[index] ?? port[0] ?? 5432 }))
}
