import type { Listening } from '../../postgres/driver.ts'
import { within } from '../waiting/deadline.ts'
import { type PgClientLike, run } from './client.ts'

/** What listening needs of a `pg` client that is used for nothing else. */
export interface PgListeningClientLike extends Pick<PgClientLike, 'query'> {
  on(event: 'error' | 'end', listener: () => void): unknown
  on(event: 'notification', listener: (message: PgNotification) => void): unknown
  connect(): Promise<unknown>
  end(): Promise<void>
  /** Lets the process end although the connection is open. */
  unref?(): void
}

/** A notification as a client of `pg` gives it. */
interface PgNotification {
  readonly channel: string
  readonly payload?: string | undefined
}

/** Who listens. */
interface Ear {
  onMessage(payload: string): void
  onLost(): void
}

/** Milliseconds that it may take until it listens; the client's own default is to wait for ever. */
const PATIENCE = 10_000
/** Milliseconds that saying goodbye may take: a connection whose other end has vanished never ends. */
const FAREWELL = 1_000

/**
 * The options of a client that listens: those of the pool's own, and a bound for connecting. Only the
 * client can close a connection that nothing answers. Copied by their descriptors, since a pool hides
 * its password from those who enumerate.
 */
export function listeningOptions(options: object): object {
  const { connectionTimeoutMillis: own = 0 } = options as { connectionTimeoutMillis?: number }
  const bound = own > 0 ? Math.min(own, PATIENCE) : PATIENCE
  return Object.defineProperties(
    {},
    {
      ...Object.getOwnPropertyDescriptors(options),
      connectionTimeoutMillis: { value: bound, enumerable: true },
    },
  )
}

/**
 * Listens on a client beside the pool. One that the pool lends would be missing there for as long as
 * a listener exists, and a pool of one would never lend again.
 *
 * @throws {DeadlineError} There was no connection in time.
 */
export async function listenBeside(
  client: PgListeningClientLike,
  channel: string,
  { onMessage, onLost }: Ear,
): Promise<Listening> {
  let isOver = false
  const lose = (): void => {
    if (isOver) return
    isOver = true
    onLost()
    void end(client)
  }
  client.on('notification', (message) => {
    if (!isOver && message.channel === channel) onMessage(message.payload ?? '')
  })
  try {
    // Until it listens, what goes wrong is told by the rejection.
    const opening = open(client, channel)
    client.on('error', () => {})
    // From the first moment, since the other end may never answer.
    client.unref?.()
    await within(PATIENCE, 'connect', opening, { isIdle: true })
  } catch (error) {
    isOver = true
    void end(client)
    throw error
  }
  client.on('error', lose)
  client.on('end', lose)
  return {
    async stop() {
      if (isOver) return
      isOver = true
      await end(client)
    },
  }
}

async function open(client: PgListeningClientLike, channel: string): Promise<void> {
  await client.connect()
  await run(client, `listen "${channel}"`)
}

async function end(client: PgListeningClientLike): Promise<void> {
  await within(FAREWELL, 'read', client.end()).catch(() => {})
}
