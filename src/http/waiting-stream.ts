import { once } from 'node:events'

/** What a body of Node's streams has that is of interest here. */
interface BodyStream {
  on(event: 'error', listener: (error: unknown) => void): unknown
  /** Whether a file or socket has not been opened yet. */
  readonly pending?: boolean
}

/**
 * Does what a body has to wait for, and watches it meanwhile: a framework listens to a stream only when it
 * sends it, and a stream that fails before that (a missing file) would end the process.
 *
 * @throws Whatever the work throws; or else what the stream failed with, for the framework to answer.
 */
export async function whileBodyWaits(body: unknown, work: () => Promise<void>): Promise<void> {
  if (!isStream(body)) return work()
  const failures: unknown[] = []
  // It stays: the framework takes over some ticks after this is done.
  body.on('error', (error) => failures.push(error))
  await work()
  // A file that turns out to be missing now has an error page; later it only cuts the connection.
  if (body.pending === true && failures.length === 0) await opened(body)
  if (failures.length > 0) throw failures[0]
}

function isStream(body: unknown): body is BodyStream & NodeJS.EventEmitter {
  const { pipe, on } = Object(body)
  return typeof pipe === 'function' && typeof on === 'function'
}

async function opened(stream: NodeJS.EventEmitter): Promise<void> {
  const done = new AbortController()
  const { signal } = done
  try {
    // `once` rejects on an error, which the listener has noted.
    await Promise.race(['ready', 'close'].map((event) => once(stream, event, { signal })))
  } catch {
    // Told by the caller.
  } finally {
    done.abort()
  }
}
