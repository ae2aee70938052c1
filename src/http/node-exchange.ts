import type { IncomingMessage, ServerResponse } from 'node:http'
import { errorAnswer } from './error-answer.ts'
import type { Exchange, SessionOpener } from './exchange.ts'
import { addToHead, type HeadAddition } from './head-addition.ts'
import { holdHead } from './held-head.ts'

/**
 * Joins a session to a Node request and its response.
 *
 * Until the session is used nothing happens; until it changes nothing is wrapped. From the first change
 * on the response's head waits for the save.
 *
 * @param fail - Answers when the save failed. Nothing has been sent then, and no cookie will be.
 */
export function openNodeExchange<Data extends object>(
  sessions: SessionOpener<Data>,
  request: IncomingMessage,
  response: ServerResponse,
  fail: (error: unknown) => void,
): Exchange<Data> {
  let hasFailed = false
  let isHeadHeld = false

  const commit = async (): Promise<HeadAddition> => {
    isHeadHeld = true
    try {
      return await exchange.commit()
    } finally {
      isHeadHeld = false
    }
  }
  const onFailure = (error: unknown): void => {
    exchange.discard()
    // An error page that changes the session again must not go round in circles.
    if (hasFailed) return answerWithError(response, error)
    hasFailed = true
    fail(error)
  }

  // Most requests read a session whose access needs no noting, and so have nothing to finish.
  let willFinish = false
  const finishOnClose = (): void => {
    if (willFinish) return
    willFinish = true
    response.once('close', () => finish(exchange, response))
  }

  const exchange: Exchange<Data> = sessions.open(request.headers.cookie, {
    isHeadSent: () => response.headersSent,
    isHeadHeld: () => isHeadHeld,
    isClientGone: () => response.destroyed,
    onUse() {
      if (response.headersSent) return
      addToHead(response, { setCookies: [], noStore: false, varyCookie: true })
    },
    onTouchDue: finishOnClose,
    onChange() {
      finishOnClose()
      if (response.headersSent) return
      holdHead(response, { commit, fail: onFailure })
    },
  })
  return exchange
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

/** Notes the access, and saves what changed after the head had left. */
function finish(exchange: Pick<Exchange, 'commit' | 'discard'>, response: ServerResponse): void {
  // A client that hung up leaves a handler that has not finished: what it has half done is not saved.
  if (!response.writableFinished) exchange.discard()
  // A failure has been told by an event, and there is nobody left to answer.
  exchange.commit().catch(() => undefined)
}
