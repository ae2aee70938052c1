/**
 * Holds the head of a Node response until an asynchronous save is done.
 *
 * Node cannot wait at the moment a head leaves, so a save that begins there is outrun by the
 * response: a redirect arrives before the value it leads to. Here the handler's calls are queued
 * from the first that would send the head, and replayed in order once the save is done. It owns
 * the order of things on the wire and knows nothing of what is saved.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { OutgoingMessage, type ServerResponse } from 'node:http'
import { isUint8Array } from 'node:util/types'
import { ResponseStartedError } from '../errors.ts'
import { type DeferredCut, deferCut } from './deferred-cut.ts'
import { laySentLook, type Progress, throwHeadersSent } from './fake-sent-state.ts'
import { type Call, dropCall, replayCalls, type Sending, withHead } from './head-replay.ts'
import { type Method, Overlay } from './overlay.ts'
import { addToHead, type ResponseHeaders } from './response-headers.ts'
import { applyWriteHead, rememberHead, type StatusLine } from './written-head.ts'

/** What to do when the head is about to leave. */
export interface HoldOptions {
  /** Saves, once, when the handler first sends something. */
  readonly commit: () => Promise<ResponseHeaders>
  /** Does so at once when nothing is left to save; undefined when there is. Then no call is queued. */
  readonly commitNow?: () => ResponseHeaders | undefined
  /**
   * Answers instead of the handler, whose body is dropped: nothing has been sent, and status and
   * headers are what they were when holding began. Called when the save failed, and when Node
   * refuses the handler's head after the save; the addition is then in place. A response whose head
   * left past the hold is destroyed before.
   */
  readonly fail: (error: unknown) => void
}

/** A response whose head waits. */
export interface HeldHead {
  /** Gives up holding because nothing is left to save. Does nothing once the save has begun. */
  release(): void
}

/**
 * Holds a response's head from now on. Call it before the handler sends anything.
 *
 * While the save runs the response looks to its handler as Node's own does when the client is
 * slow: `headersSent`, `writableEnded` and `writableNeedDrain` tell what the handler has done,
 * changes of the head throw `ERR_HTTP_HEADERS_SENT`, `write` asks to wait for `drain` once
 * `writableHighWaterMark` is reached. Informational responses (1xx) pass. Afterwards every method
 * is Node's own again.
 *
 * `finished` stays Node's own and turns true with the replay. Who destroys the socket meanwhile
 * destroys the response with it, though its handler had ended it; the save is done all the same.
 *
 * @throws {ResponseStartedError} The head has left already.
 * @example
 * ```ts
 * holdHead(response, {
 *   commit: async () => ({ setCookies: [await save()], noStore: true, varyCookie: true }),
 *   fail: (error) => next(error),
 * })
 * ```
 */
export function holdHead(response: ServerResponse, options: HoldOptions): HeldHead {
  if (response.headersSent) throw new ResponseStartedError('Holding a response')
  return new HeldResponse(response, options)
}

class HeldResponse implements HeldHead {
  readonly #response: ServerResponse
  readonly #options: HoldOptions
  readonly #restoreHead: () => void
  /** The methods beneath: Node's own, or those of who wrapped the response before. */
  readonly #inner = {} as Record<Sending, Method>
  readonly #sending: Overlay
  readonly #progress: Progress = { ended: false, needsDrain: false }
  #look: Overlay | undefined
  #phase: 'open' | 'saving' | 'passing' | 'dropped' = 'open'
  #queue: Call[] = []
  #queuedLength = 0
  #status: StatusLine | undefined
  #headIsImplicit = false
  #failure: unknown
  #cut: DeferredCut | undefined
  /** Tells the answer of `fail` from late calls of a handler that had not ended its body. */
  #answering: AsyncLocalStorage<true> | undefined

  constructor(response: ServerResponse, options: HoldOptions) {
    this.#response = response
    this.#options = options
    this.#restoreHead = rememberHead(response)
    this.#sending = new Overlay(response)
    this.#laySending()
  }

  release(): void {
    if (this.#phase !== 'open') return
    this.#phase = 'passing'
    this.#sending.lift()
  }

  #laySending(): void {
    this.#lay('writeHead', (...args) => this.#writeHead(args))
    this.#lay('writeHeader', (...args) => this.#writeHead(args))
    this.#lay('_implicitHeader', () => {
      if (this.#status === undefined) this.#response.writeHead(this.#response.statusCode)
    })
    this.#lay('_storeHeader', (_line, fields) => this.#storeHeader(fields))
    this.#lay('write', (...args) => this.#write(args))
    this.#lay('end', (...args) => this.#end(args))
    this.#lay('flushHeaders', () => this.#flushHeaders())
  }

  #lay(name: Sending, hold: Method): void {
    const inner: Method | undefined = Reflect.get(this.#response, name)
    if (inner === undefined) return // HTTP/2 has neither `_implicitHeader` nor `_storeHeader`.
    this.#inner[name] = inner
    // Who wraps the response later keeps this for good, so it stays right in every phase.
    this.#sending.method(name, (...args) => {
      // `_storeHeader` is called with the fields of a head that takes no more.
      const addition = this.#isUntouched && name !== '_storeHeader' && this.#options.commitNow?.()
      if (addition) return this.#pass(name, args, addition)
      if (this.#phase === 'open' || this.#phase === 'saving') return hold(...args)
      const isLate = this.#phase === 'dropped' && !this.#answering?.getStore()
      return isLate
        ? dropCall({ name, args }, this.#response, this.#failure)
        : Reflect.apply(inner, this.#response, args)
    })
  }

  /** Whether this is the first call that sends something, and a head that it asks for is not written yet. */
  get #isUntouched(): boolean {
    return this.#phase === 'open' && this.#status === undefined && !this.#headIsImplicit
  }

  /** Makes the first call that sends something by the method beneath: nothing has to wait. */
  #pass(name: Sending, args: readonly unknown[], addition: ResponseHeaders): unknown {
    const response = this.#response
    this.#phase = 'passing'
    this.#sending.lift()
    // Node takes a list of pairs only where no header is set, and one is about to be.
    const given = args.some(Array.isArray) ? applyWriteHead(response, args) : args
    return withHead(response, addition, () => Reflect.apply(this.#inner[name], response, given))
  }

  #writeHead(args: readonly unknown[]): ServerResponse {
    if (this.#status !== undefined) throwHeadersSent(this.#response, 'writeHead', args)
    this.#status = applyWriteHead(this.#response, args)
    this.#look = laySentLook(this.#response, this.#progress)
    if (!this.#headIsImplicit) this.#enqueue('writeHead', this.#status)
    return this.#response
  }

  /**
   * Takes a head whose `writeHead` began before the hold: it was looked up earlier, or a listener within it
   * (as of on-headers) has changed the session.
   */
  #storeHeader(fields: unknown): void {
    const response = this.#response
    // Node passes its own headers here unless none was set before `writeHead`.
    const given = response.getHeaderNames().length === 0 ? fields : undefined
    // `end` has noted the length of its body, and asks for the head itself.
    const length: unknown = Reflect.get(response, '_contentLength')
    this.#headIsImplicit = typeof length === 'number'
    if (typeof length === 'number' && Reflect.get(response, '_hasBody') === true) {
      response.setHeader('Content-Length', length)
    }
    // Node's `writeHead` turns it off for this status, which an error may replace.
    Reflect.set(response, '_hasBody', response.req.method !== 'HEAD')
    try {
      this.#writeHead([response.statusCode, response.statusMessage, given])
    } finally {
      this.#headIsImplicit = false
    }
  }

  #write(args: readonly unknown[]): boolean {
    const { length } = validChunk(args[0])
    this.#takeHead()
    this.#enqueue('write', args)
    if (this.#progress.ended || this.#response.destroyed) return false
    this.#queuedLength += length
    if (this.#queuedLength < this.#response.writableHighWaterMark) return true
    this.#progress.needsDrain = true
    return false
  }

  #end(args: readonly unknown[]): ServerResponse {
    if (args[0] && typeof args[0] !== 'function') validChunk(args[0])
    this.#takeHead()
    this.#progress.ended = true
    this.#cut ??= deferCut(this.#response)
    this.#enqueue('end', args)
    return this.#response
  }

  #flushHeaders(): void {
    this.#takeHead()
    this.#enqueue('flushHeaders', [])
  }

  /** Through the outermost `writeHead`, so that who wrapped it since can still add to the head. */
  #takeHead(): void {
    if (this.#status !== undefined) return
    this.#headIsImplicit = true
    try {
      this.#response.writeHead(this.#response.statusCode)
    } finally {
      this.#headIsImplicit = false
    }
  }

  #enqueue(name: Sending, args: readonly unknown[]): void {
    this.#queue.push({ name, args })
    if (this.#phase !== 'open') return
    this.#phase = 'saving'
    void this.#save()
  }

  async #save(): Promise<void> {
    let addition: ResponseHeaders | undefined
    try {
      addition = await this.#options.commit()
      this.#replay(addition)
    } catch (error) {
      this.#fail(error, addition)
    }
    this.#cut?.perform()
  }

  #replay(addition: ResponseHeaders): void {
    const response = this.#response
    this.#phase = 'passing'
    this.#look?.lift()
    this.#sending.lift()
    const willDrain = replayCalls(response, this.#inner, this.#status, this.#queue, addition)
    this.#queue = []
    if (this.#progress.needsDrain && !willDrain) {
      process.nextTick(() => {
        if (!response.writableEnded) response.emit('drain')
      })
    }
  }

  #fail(error: unknown, addition: ResponseHeaders | undefined): void {
    const response = this.#response
    this.#phase = 'dropped'
    this.#failure = error
    this.#look?.lift()
    // What was laid over it since goes too: its state belongs to the dropped body.
    this.#sending.strip()
    for (const call of this.#queue.splice(0)) dropCall(call, response, error)
    if (response.headersSent) {
      response.destroy(error as Error)
    } else {
      this.#restoreHead()
      if (addition !== undefined) addToHead(response, addition)
    }
    if (this.#progress.ended || response.destroyed) return this.#answer()
    this.#laySending()
    const answering = new AsyncLocalStorage<true>()
    this.#answering = answering
    response.once('close', () => answering.disable())
    answering.run(true, () => this.#answer())
  }

  #answer(): void {
    try {
      this.#options.fail(this.#failure)
    } catch (error) {
      this.#response.destroy(error as Error)
    }
  }
}

/** @throws {TypeError} As Node's `write` does, before it looks at anything else. */
function validChunk(chunk: unknown): string | Uint8Array {
  if (typeof chunk === 'string' || isUint8Array(chunk)) return chunk
  new OutgoingMessage().write(chunk)
  return ''
}
