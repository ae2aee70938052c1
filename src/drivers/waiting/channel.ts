import type { Listening } from '../../postgres/driver.ts'
import { processWide } from '../../process-wide.ts'

/** A client that reconnects by itself, and calls `onListening` each time it has begun to listen. */
export interface ListeningClient {
  listen(
    channel: string,
    onMessage: (payload: string) => void,
    onListening: () => void,
  ): Promise<unknown>
}

/** Who listens. */
interface Ear {
  onMessage(payload: string): void
  onLost(): void
}

/** A caller that waits until the client listens. */
interface Waiting {
  readonly ear: Ear
  begin(): void
}

/**
 * One channel of one client, for all who listen to it.
 *
 * Postgres.js and Bun reconnect by themselves for as long as it takes, say so only by calling back, and can no
 * longer be told to stop once they have. So each channel is asked for once.
 */
class Channel {
  readonly #waiting = new Set<Waiting>()
  readonly #ears = new Set<Ear>()
  #isListening = false

  constructor(sql: ListeningClient, name: string) {
    const hear = (payload: string): void => {
      for (const ear of [...this.#ears]) ear.onMessage(payload)
    }
    // It goes on trying after a failure, and calls back when it has succeeded.
    sql.listen(name, hear, () => this.#begin()).catch(() => {})
  }

  listen(ear: Ear): Promise<Listening> {
    return new Promise((resolve) => {
      const begin = (): void => {
        this.#ears.add(ear)
        const stop = async (): Promise<void> => {
          this.#ears.delete(ear)
        }
        resolve({ stop })
      }
      if (this.#isListening) begin()
      else this.#waiting.add({ ear, begin })
    })
  }

  #begin(): void {
    // Called back once more: the connection before was lost, and with it what was said meanwhile.
    const lost = [...this.#ears]
    this.#ears.clear()
    this.#isListening = true
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const { begin } of waiting) begin()
    for (const ear of lost) ear.onLost()
  }
}

const channels = processWide('channels', () => new WeakMap<ListeningClient, Map<string, Channel>>())

/** Listens on the connection that postgres.js or Bun keeps for that beside its others. */
export function listenOn(sql: ListeningClient, name: string, ear: Ear): Promise<Listening> {
  const known = channels.get(sql) ?? new Map<string, Channel>()
  channels.set(sql, known)
  const channel = known.get(name) ?? new Channel(sql, name)
  known.set(name, channel)
  return channel.listen(ear)
}
