import { setImmediate } from 'node:timers/promises'
import type { Session } from '../../session/session.ts'
import type { ErrorPage, Script } from './application.ts'

/** Bytes of one value of `fill`: one fits into the contract's limits, two do not. */
const FILLING = 40_000
const CHUNKS = 64
const CHUNK_BYTES = 65_536

/** Length of `/stream`. */
export const STREAM_BYTES: number = CHUNKS * CHUNK_BYTES

/**
 * Does to a session what a URL says:
 * `set=key:value`, `delete=key`, `fill=2`, `rotate`, `clear`, `destroy`, and `load`, which changes nothing,
 * at once and in their order,
 * then, where it may wait, `signIn=ann`, `signOut`, `count=key`, `pause`, and `after=key:value`, a `set`
 * that nothing follows.
 */
export class UrlScript implements Script {
  readonly error: Error = new RangeError('The route has thrown this.')
  /** What the error page was given. */
  readonly errors: unknown[] = []
  /** How many chunks of the last `/stream` have been asked for. */
  pulled = 0
  #passGate = (): void => {}
  readonly #gate = new Promise<void>((pass) => {
    this.#passGate = pass
  })

  change(session: Session, url: string): void {
    for (const [act, argument] of actsOf(url)) changeOnce(session, act, argument)
  }

  async use(session: Session, url: string): Promise<string> {
    this.change(session, url)
    for (const [act, argument] of actsOf(url)) {
      if (act === 'signIn') await session.signIn(argument)
      else if (act === 'signOut') await session.signOut()
      else if (act === 'count') await session.update(argument, (count = 0) => Number(count) + 1)
      else if (act === 'pause') await setImmediate()
      else if (act === 'after') changeOnce(session, 'set', argument)
    }
    const entries = Object.fromEntries(await session.entries())
    return JSON.stringify({ userId: session.userId, entries })
  }

  async *body(): AsyncGenerator<Uint8Array> {
    this.pulled = 0
    for (let chunk = 0; chunk < CHUNKS; chunk += 1) {
      this.pulled += 1
      yield new Uint8Array(CHUNK_BYTES).fill(chunk)
    }
  }

  async *brokenBody(): AsyncGenerator<Uint8Array> {
    if (this.error) throw this.error
    yield new Uint8Array()
  }

  /** Sends `open`, waits at the gate, then does `late=key:value` and tells how that went. */
  async *events(session: Session, url: string): AsyncGenerator<string> {
    yield 'open'
    await this.#gate
    await session.load()
    for (const [act, argument] of actsOf(url)) {
      if (act === 'late') yield outcomeOf(() => changeOnce(session, 'set', argument))
    }
    yield 'done'
  }

  /** Lets the events go on. */
  passGate(): void {
    this.#passGate()
  }

  errorPage(session: Session, url: string, error: unknown): ErrorPage {
    this.errors.push(error)
    for (const [act, argument] of actsOf(url)) {
      if (act === 'onError') changeOnce(session, 'set', argument)
    }
    const status: unknown = Reflect.get(Object(error), 'statusCode')
    return { status: typeof status === 'number' ? status : 500, text: 'error page' }
  }
}

function actsOf(url: string): URLSearchParams {
  return new URL(url, 'http://localhost').searchParams
}

function changeOnce(session: Session, act: string, argument: string): void {
  const [key = '', value] = argument.split(':')
  if (act === 'set') session.set(key, value)
  else if (act === 'delete') session.delete(key)
  else if (act === 'rotate') session.rotate()
  else if (act === 'clear') session.clear()
  else if (act === 'destroy') session.destroy()
  else if (act === 'load') session.load().catch(() => undefined)
  else if (act === 'fill') {
    for (let filling = 0; filling < Number(argument); filling += 1) {
      session.set(`filling ${filling}`, 'x'.repeat(FILLING))
    }
  }
}

function outcomeOf(change: () => void): string {
  try {
    change()
    return 'changed'
  } catch (error) {
    return String(Reflect.get(Object(error), 'code'))
  }
}
