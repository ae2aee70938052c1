import { isSessionError } from '../errors.ts'
import { isFetchResponse } from '../http/wrong-mount.ts'
import type { Logger } from '../session/logger.ts'

/** Who may go on, or what to answer instead. */
export type Authorization = { readonly actor: string } | { readonly refusal: Response }

/**
 * Asks the application who sends a request. Everything but a name refuses: false, an error, and `true`, with which
 * the log could not say who it was.
 */
export async function authorized(decide: () => unknown, log: Logger): Promise<Authorization> {
  try {
    const decision = await decide()
    if (typeof decision === 'string' && decision.trim() !== '') return { actor: decision }
    if (isFetchResponse(decision)) return { refusal: decision }
    if (decision === true) {
      log.error(
        {},
        'authorize of the admin page returned true: return the name of the administrator, which the log of actions shows',
      )
    }
    return { refusal: plainAnswer(403, 'You may not see this page.') }
  } catch (error) {
    log.error({ err: error }, 'authorize of the admin page failed, so the request was refused')
    const status = isSessionError(error) ? Math.max(error.statusCode, 400) : 403
    const text =
      status < 500
        ? 'You may not see this page.'
        : 'Your permission could not be checked. Please try again later.'
    return { refusal: plainAnswer(status, text) }
  }
}

/** An answer that tells nothing of sessions. */
export function plainAnswer(
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(`${text}\n`, {
    status,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...headers,
    },
  })
}
