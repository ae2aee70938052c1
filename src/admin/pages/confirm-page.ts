import type { Action } from '../requested-view.ts'
import { type Html, html } from './html.ts'
import { type Frame, layout } from './layout.ts'
import { sessionLink, tagLink, userLink } from './links.ts'

/**
 * Asks before something ends. Its form alone can do it. The form holds the target percent-encoded, since browsers
 * change line ends in forms, and `html` shows characters that turn the direction of text as codes.
 */
export function confirmPage(frame: Frame, { kind, target }: Action, token: string): Html {
  const { question, button, back } = WORDS[kind](target)
  return layout(
    frame,
    html`<section aria-label="Confirmation">
<p>${question} ${kind === 'end-session' ? 'The device is' : 'Their devices are'} signed out at ${kind === 'end-session' ? 'its' : 'their'} next request. This cannot be undone.</p>
<form method="post" action="?">
<input type="hidden" name="action" value="${kind}">
<input type="hidden" name="target" value="${encodeURIComponent(target)}">
<input type="hidden" name="token" value="${token}">
<p class="actions"><button class="danger">${button}</button>
<a href="${back}">Do nothing</a></p>
</form>
</section>`,
  )
}

const WORDS: {
  readonly [Kind in Action['kind']]: (target: string) => {
    readonly question: Html
    readonly button: string
    readonly back: string
  }
} = {
  'end-session': (id) => ({
    question: html`End the session <code>${id}</code>?`,
    button: 'End the session',
    back: sessionLink(id),
  }),
  'end-user': (userId) => ({
    question: html`End all sessions of the user <strong>${userId}</strong>?`,
    button: 'End all sessions',
    back: userLink(userId),
  }),
  'end-tag': (tag) => ({
    question: html`End all sessions with the tag <strong>${tag}</strong>, of every user?`,
    button: 'End all sessions',
    back: tagLink(tag),
  }),
}
