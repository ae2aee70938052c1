import { CrossSiteError, isSessionError } from '../errors.ts'
import { crossSiteGuard } from '../http/guards/cross-site.ts'
import { fetchRequest } from '../http/guards/request-guard.ts'
import type { Administration } from '../session/administration.ts'
import type { Sessions } from '../sessions.ts'
import type { AdminSettings } from './admin-options.ts'
import { plainAnswer } from './authorize.ts'
import { endSessions } from './end-sessions.ts'
import { FormTokens } from './form-token.ts'
import { ProcessHistory } from './history/process-history.ts'
import { StoreHistory } from './history/store-history.ts'
import { confirmPage } from './pages/confirm-page.ts'
import type { Html } from './pages/html.ts'
import { CONTENT_SECURITY_POLICY } from './pages/layout.ts'
import { messagePage } from './pages/message-page.ts'
import { readForm } from './read-form.ts'
import { type Action, requestedAction, requestedView } from './requested-view.ts'
import { Views } from './views.ts'

/** Sessions, whatever they hold: what `createSessions` returns. */
export type AdministeredSessions = Pick<Sessions, 'destroyById' | 'destroyByUser' | 'destroyByTag'>

/** Answers the requests of administrators. */
export class Administrator {
  readonly #sessions: AdministeredSessions
  readonly #administration: Administration
  readonly #views: Views
  readonly #tokens: FormTokens
  readonly #guard = crossSiteGuard()

  constructor(
    sessions: AdministeredSessions,
    administration: Administration,
    settings: Pick<AdminSettings, 'showValue' | 'historyInterval'>,
  ) {
    const { store, events, closing, isSecure } = administration
    const process = new ProcessHistory(events)
    const history = store.inspector === undefined ? null : new StoreHistory(store.inspector)
    history?.start(settings.historyInterval)
    closing.addEventListener('abort', () => {
      process.stop()
      history?.stop()
    })
    this.#sessions = sessions
    this.#administration = administration
    this.#views = new Views(administration, settings.showValue, process, history)
    this.#tokens = new FormTokens(isSecure)
  }

  async answer(request: Request, actor: string): Promise<Response> {
    try {
      if (request.method === 'POST') return await this.#act(request, actor)
      if (request.method === 'GET' || request.method === 'HEAD')
        return await this.#show(request, actor)
      return methodRefused()
    } catch (error) {
      const { log } = this.#administration
      log.error({ err: error }, 'the admin page failed')
      const isKnown = isSessionError(error)
      const status = isKnown && error.statusCode >= 400 ? error.statusCode : 500
      const message = isKnown ? error.message : 'The page failed; the log says why.'
      return pageAnswer(messagePage({ actor, title: 'That did not work' }, message), status)
    }
  }

  async #show(request: Request, actor: string): Promise<Response> {
    const view = requestedView(new URL(request.url).searchParams)
    if (view.name !== 'end') {
      const { page, status } = await this.#views.show(view, actor)
      return pageAnswer(page, status)
    }
    const { action } = view
    const { token, setCookie } = this.#tokens.issue(request.headers.get('cookie'), actor, action)
    const page = confirmPage({ actor, title: 'Are you sure?' }, action, token)
    return pageAnswer(page, 200, setCookie === null ? {} : { 'set-cookie': setCookie })
  }

  async #act(request: Request, actor: string): Promise<Response> {
    try {
      await this.#guard(fetchRequest(request, () => undefined))
    } catch (error) {
      if (error instanceof CrossSiteError) return this.#refused(actor)
      throw error
    }
    const form = await readForm(request)
    const action = form === null ? null : requestedAction(form)
    if (form === null || action === null) {
      return pageAnswer(
        messagePage(
          { actor, title: 'Nothing was done' },
          'The form could not be read. If the application parses forms before this page, mount the page first.',
        ),
        400,
      )
    }
    const cookies = request.headers.get('cookie')
    if (!this.#tokens.accepts(cookies, actor, action, form.get('token')))
      return this.#refused(actor)
    return this.#end(action, actor)
  }

  async #end(action: Action, actor: string): Promise<Response> {
    const location = await endSessions(this.#sessions, this.#administration, action, actor)
    return new Response(null, { status: 303, headers: { ...HEADERS, location } })
  }

  #refused(actor: string): Response {
    this.#administration.log.warn({ actor }, 'the admin page refused a form that it had not made')
    const message =
      'This page did not make that form for you in this browser. Open the page again and repeat what you did.'
    return pageAnswer(messagePage({ actor, title: 'Nothing was done' }, message), 403)
  }
}

const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  // Not `no-referrer`, under which browsers send `Origin: null` with forms.
  'referrer-policy': 'same-origin',
  'x-robots-tag': 'noindex',
}

function pageAnswer(
  page: Html,
  status: number,
  more: Readonly<Record<string, string>> = {},
): Response {
  const headers = { 'content-type': 'text/html; charset=utf-8', ...HEADERS, ...more }
  return new Response(String(page), { status, headers })
}

/** The answer to any other method than GET, HEAD and POST. */
export function methodRefused(): Response {
  return plainAnswer(405, 'The page takes GET and POST.', { allow: 'GET, HEAD, POST' })
}
