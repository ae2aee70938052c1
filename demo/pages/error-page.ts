import { type Html, html } from './html.ts'
import { layout } from './layout.ts'

/** Says what happened, and leads back. */
export function errorPage(title: string, explanation: string, back = '/'): Html {
  return layout(
    title,
    html`<main class="alone">
  <h1>${title}</h1>
  <p>${explanation}</p>
  <p><a href="${back}">Back to the shop</a></p>
</main>`,
  )
}
