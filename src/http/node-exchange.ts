import type { IncomingMessage, ServerResponse } from 'node:http'
import { authorizationOf } from './authorization-field.ts'
import { errorAnswer } from './error-answer.ts'
import type { Exchange, ResponsePhase, Session, SessionOpener } from './exchange.ts'
import { targetOf } from './request-target.ts'
import type { ResponseHeaders } from './response-headers.ts'
import { type HoldMember, holdFor } from './shared-hold.ts'
import { addWithHead, varyWithHead } from './vary-with-head.ts'

/** What an adapter does for its exchange. */
export interface NodeExchangeOptions {
  /** Answers when the save failed. Nothing has been sent then, and no cookie for it will be. */
  readonly fail: (error: unknown) => void
  /** The session is about to change for the first time, or again after a save that failed. */
  readonly onChange?: () => void
}

/**
 * A session joined to a Node request and its response.
 *
 * Until the session is used nothing happens; until it changes nothing waits. From the first change on
 * the response's head waits for the save.
 */
export class NodeExchange<Data extends object> implements HoldMember {
  readonly #exchange: Exchange<Data>
  readonly #response: ServerResponse
  readonly #options: NodeExchangeOptions
  #isHeadHeld = false
  #hasFailed = false
  #willFinish = false
  /** Cookies that the head has already, for the second time that something is added to it. */
  #inPlace: readonly string[] = []

  constructor(
    sessions: SessionOpener<Data>,
    request: IncomingMessage,
    response: ServerResponse,
    options: NodeExchangeOptions,
  ) {
    this.#response = response
    this.#options = options
    this.#exchange = sessions.open(request.headers.cookie, {
      phase: () => this.#phase(),
      authorization: () => authorizationOf(request),
      target: () => targetOf(request.headers, Boolean(Reflect.get(request.socket, 'encrypted'))),
      isConditional() {
        return 'if-none-match' in request.headers || 'if-modified-since' in request.headers
      },
      onUse: () => {
        if (response.headersSent) return
        // What a client without a cookie is told depends on what the session turns out to be.
        if (this.#exchange.head.varyAuthorization)
          addWithHead(response, () => this.responseHeaders())
        else varyWithHead(response)
      },
      // Most requests read a session whose access needs no noting, and so have nothing to finish.
      onTouchDue: () => this.#finishOnClose(),
      onChange: () => this.#change(),
    })
  }

  get session(): Session<Data> {
    return this.#exchange.session
  }

  /** Whether there is something to save. */
  get hasChanges(): boolean {
    return this.#exchange.hasChanges
  }

  get isSettled(): boolean {
    return this.#exchange.isSettled
  }

  released(): void {
    this.#exchange.announceAgain()
  }

  /**
   * Saves before anything is sent, for frameworks that can wait there: what goes wrong then goes their
   * own way. It sends nothing, and `fail` is not called. What changes later is saved with the head.
   *
   * @throws {SessionError} The save failed, and what it should have saved has been dropped.
   */
  async saveEarly(): Promise<void> {
    if (!this.#exchange.hasChanges || this.#response.headersSent) return
    try {
      await this.session.save()
    } catch (error) {
      this.discard()
      throw error
    }
  }

  #phase(): ResponsePhase {
    const { destroyed, headersSent } = this.#response
    if (this.#isHeadHeld) return destroyed ? 'gone' : 'held'
    if (headersSent) return 'sent'
    return destroyed ? 'gone' : 'open'
  }

  #change(): void {
    this.#finishOnClose()
    if (this.#response.headersSent) return
    this.#options.onChange?.()
    holdFor(this, this.#response)
  }

  async save(): Promise<void> {
    this.#isHeadHeld = true
    try {
      await this.#exchange.commit()
    } finally {
      this.#isHeadHeld = false
    }
  }

  discard(): void {
    this.#exchange.discard()
  }

  responseHeaders(): ResponseHeaders {
    const { head } = this.#exchange
    const setCookies = head.setCookies.filter((line) => !this.#inPlace.includes(line))
    this.#inPlace = head.setCookies
    return { ...head, setCookies }
  }

  fail(error: unknown): void {
    // An error page that changes the session again must not go round in circles.
    if (this.#hasFailed) return answerWithError(this.#response, error)
    this.#hasFailed = true
    this.#options.fail(error)
  }

  #finishOnClose(): void {
    if (this.#willFinish) return
    this.#willFinish = true
    this.#response.once('close', () => this.#finish())
  }

  /** Notes the access, and saves what changed after the head had left. */
  #finish(): void {
    // A client that hung up leaves a handler that has not finished: what it has half done is not saved.
    if (!this.#response.writableFinished) this.discard()
    void this.#exchange.commitLate()
  }
}

/** Answers with what can be said of an error, in plain text. */
export function answerWithError(response: ServerResponse, error: unknown): void {
  const { status, body } = errorAnswer(error)
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
  })
  response.end(body)
}
