import { randomUUID } from 'node:crypto'
import type { OnHint, RevocationFeed } from '../store/session-store.ts'
import { readAnnouncement } from './announcer.ts'
import type { Driver, Listening } from './driver.ts'
import { waitFor } from './wait-for.ts'

/** What a listener works with. */
export interface ListenerParts {
  readonly listen: NonNullable<Driver['listen']>
  readonly channel: string
  /** Sends a notification as any other process would: on another connection. */
  announce(id: string): void
  readonly onHint: OnHint
}

/** How patient a listener is, in milliseconds. */
export interface ListenerTerms {
  /** How long an announcement of its own may take to come back. */
  readonly patience: number
  /** How often it makes sure that it still hears. */
  readonly heartbeat: number
  /** The pause before the first attempt to listen again; it doubles with every failure. */
  readonly shortestPause: number
  readonly longestPause: number
}

const TERMS: ListenerTerms = {
  patience: 5_000,
  heartbeat: 30_000,
  shortestPause: 200,
  longestPause: 60_000,
}

/**
 * Listens for announcements on a connection that it keeps, and replaces when it is lost.
 *
 * It counts as reliable only while its own announcements come back. Behind a pooler that lends
 * connections per transaction LISTEN succeeds and nothing is ever heard; a connection whose other end
 * has vanished looks sound for minutes.
 */
export class AnnouncementListener implements RevocationFeed {
  readonly #parts: ListenerParts
  readonly #terms: ListenerTerms
  readonly #stopping = new AbortController()
  readonly #run: Promise<void>
  #isReliable = false
  /** The announcement of its own that it waits for. */
  #proof: { readonly id: string; heard(): void } | null = null

  constructor(parts: ListenerParts, terms: ListenerTerms = TERMS) {
    this.#parts = parts
    this.#terms = terms
    this.#run = this.#keepListening()
  }

  get isReliable(): boolean {
    return this.#isReliable
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#run
  }

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted
  }

  async #keepListening(): Promise<void> {
    const { shortestPause, longestPause } = this.#terms
    let pause = shortestPause
    while (!this.#isStopped) {
      const wasHeard = await this.#listenOnce().catch(() => false)
      pause = wasHeard ? shortestPause : Math.min(2 * pause, longestPause)
      await waitFor(pause * (0.5 + Math.random()), this.#stopping.signal)
    }
  }

  /** Listens on one connection until it is lost, and tells whether anything was ever heard on it. */
  async #listenOnce(): Promise<boolean> {
    const { listen, channel, onHint } = this.#parts
    const over = new AbortController()
    const end = (): void => over.abort()
    this.#stopping.signal.addEventListener('abort', end)
    let listening: Listening | null = null
    try {
      const opening = listen(channel, (message) => this.#hear(message), end)
      listening = await unlessOver(over.signal, opening)
      while (!over.signal.aborted && (await this.#proves(over.signal))) {
        if (!this.#isReliable) {
          this.#isReliable = true
          // Announcements made while nothing listened are lost.
          onHint(null)
        }
        await waitFor(this.#terms.heartbeat * (0.75 + Math.random() / 2), over.signal)
      }
      return this.#isReliable
    } finally {
      this.#isReliable = false
      this.#stopping.signal.removeEventListener('abort', end)
      await listening?.stop()
    }
  }

  async #proves(over: AbortSignal): Promise<boolean> {
    const id = randomUUID()
    const waiting = new AbortController()
    const end = (): void => waiting.abort()
    let isHeard = false
    const heard = (): void => {
      isHeard = true
      end()
    }
    this.#proof = { id, heard }
    over.addEventListener('abort', end)
    this.#parts.announce(id)
    await waitFor(this.#terms.patience, waiting.signal)
    over.removeEventListener('abort', end)
    this.#proof = null
    return isHeard
  }

  #hear(message: string): void {
    if (message === this.#proof?.id) this.#proof.heard()
    else this.#parts.onHint(...readAnnouncement(message))
  }
}

/** Waits for a connection that may take for ever. One that comes too late is stopped. */
function unlessOver(signal: AbortSignal, opening: Promise<Listening>): Promise<Listening | null> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => resolve(null))
    opening.then((listening) => {
      if (signal.aborted) void listening.stop()
      else resolve(listening)
    }, reject)
  })
}
