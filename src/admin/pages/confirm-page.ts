import type { Action } from '../requested-view.ts'
import { type Html, html } from './html.ts'
import { type Frame, layout } from './layout.ts'
import { sessionLink, userLink } from './links.ts'

/** Asks before something ends. Its form alone can do it. */
export function confirmPage(frame: Frame, { kind, target }: Action, token: string): Html {
  const isOne = kind === 'end-session'
  return layout(
    frame,
    html`<section aria-label="Confirmation">
<p>${isOne ? html`End the session <code>${target}</code>?` : html`End all sessions of the user <strong>${target}</strong>?`}
The device is signed out at its next request. This cannot be undone.</p>
<form method="post" action="?">
<input type="hidden" name="action" value="${kind}">
<input type="hidden" name="target" value="${target}">
<input type="hidden" name="token" value="${token}">
<p class="actions"><button class="danger">${isOne ? 'End the session' : 'End all sessions'}</button>
<a href="${isOne ? sessionLink(target) : userLink(target)}">Do nothing</a></p>
</form>
</section>`,
  )
}
