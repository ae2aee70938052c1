import { type Html, html } from './html.ts'
import { type Frame, layout } from './layout.ts'

/** A page that says one thing. */
export function messagePage(frame: Frame, message: string): Html {
  return layout(
    frame,
    html`<section aria-label="Message"><p class="warning">${message}</p>
<p class="actions"><a class="button" href="?">Back to the overview</a></p></section>`,
  )
}
