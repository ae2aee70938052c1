import { type Html, html } from '../pages/html.ts'

/** One bar, with its text. */
export interface Bar {
  readonly label: string
  readonly value: number
  /** What stands beside the bar. */
  readonly text: string
}

/** A bar chart that is a table: each row has its name, its bar and its figure, so it reads without the bars too. */
export function barRows(caption: string, bars: readonly Bar[]): Html {
  const most = Math.max(...bars.map(({ value }) => value), 0)
  return html`<table class="bars">
<caption>${caption}</caption>
<tbody>
${bars.map(
  ({ label, value, text }) => html`<tr>
  <th scope="row">${label}</th>
  <td class="bar"><svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" focusable="false"><rect width="${most === 0 ? 0 : (100 * value) / most}" height="10"></rect></svg></td>
  <td class="figure">${text}</td>
</tr>
`,
)}</tbody>
</table>`
}
