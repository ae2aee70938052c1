import type { Socket } from 'node:net'
import { type PostgresMessage, PostgresMessages, type Side } from './postgres-messages.ts'

/**
 * What the network does. A `hole` takes everything and passes nothing on; what it has taken goes on
 * its way when the mode changes.
 */
export type Mode = { readonly kind: 'hole' } | { readonly kind: 'pass'; readonly delay: number }

/** What to do with a message, and with its connection. */
export type Verdict = 'pass' | 'pass and cut' | 'cut' | 'hold' | 'slice'

/** One connection of a client and its counterpart to the server. */
export class Link {
  readonly #lanes: Readonly<Record<Side, Lane>>
  readonly #sockets: readonly [Socket, Socket]
  readonly #messages: PostgresMessages
  readonly #judge: (message: PostgresMessage) => Verdict

  /** @param number - Which connection of its proxy it is. */
  constructor(
    number: number,
    client: Socket,
    server: Socket,
    mode: Mode,
    judge: (message: PostgresMessage) => Verdict,
  ) {
    this.#messages = new PostgresMessages(number)
    this.#sockets = [client, server]
    this.#lanes = { client: new Lane(server, mode), server: new Lane(client, mode) }
    this.#judge = judge
    const sides: [Side, Socket][] = [
      ['client', client],
      ['server', server],
    ]
    for (const [side, socket] of sides) {
      socket.on('error', () => this.cut())
      socket.on('end', () => this.#lanes[side].push('end'))
      socket.on('data', (piece) => this.#take(side, piece))
    }
  }

  setMode(mode: Mode): void {
    for (const lane of Object.values(this.#lanes)) lane.setMode(mode)
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  onClosed(listener: () => void): void {
    this.#sockets[0].once('close', listener)
    this.#sockets[0].once('close', () => this.#sockets[1].destroy())
  }

  #take(side: Side, piece: Buffer): void {
    for (const message of this.#messages.take(side, piece)) {
      const verdict = this.#judge(message)
      if (verdict === 'hold') this.setMode({ kind: 'hole' })
      if (verdict === 'slice') this.#lanes[side].pushByByte(message.bytes)
      else if (verdict !== 'cut') this.#lanes[side].push(message.bytes)
      if (verdict === 'cut' || verdict === 'pass and cut') return this.#cutAfterWriting()
    }
  }

  /** What was passed on before arrives. */
  #cutAfterWriting(): void {
    for (const socket of this.#sockets) {
      socket.removeAllListeners('data')
      socket.destroySoon()
    }
  }
}

/** What has not been passed on yet. */
interface Held {
  readonly bytes: Buffer | 'end'
  readonly since: number
  /** Whether it is part of a message that goes byte by byte. */
  readonly isPart?: boolean
}

/** One direction of a connection. */
class Lane {
  readonly #to: Socket
  readonly #held: Held[] = []
  #mode: Mode
  #timer: NodeJS.Timeout | undefined
  /** Whether the last piece is to arrive before the next one leaves. */
  #isPausing = false

  constructor(to: Socket, mode: Mode) {
    this.#to = to
    this.#mode = mode
  }

  push(bytes: Buffer | 'end'): void {
    this.#held.push({ bytes, since: Date.now() })
    this.#passOn()
  }

  pushByByte(bytes: Buffer): void {
    const since = Date.now()
    for (const byte of bytes) this.#held.push({ bytes: Buffer.of(byte), since, isPart: true })
    this.#passOn()
  }

  setMode(mode: Mode): void {
    this.#mode = mode
    this.#passOn()
  }

  #passOn(): void {
    clearTimeout(this.#timer)
    while (this.#mode.kind === 'pass' && !this.#isPausing) {
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
      if (next.isPart) this.#pause()
    }
  }

  #pause(): void {
    this.#isPausing = true
    setImmediate(() => {
      this.#isPausing = false
      this.#passOn()
    })
  }
}
