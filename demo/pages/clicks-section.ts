import { CLICKS } from '../routes/clicks.ts'
import type { ShopData } from '../shop.ts'
import { type Html, html } from './html.ts'

/** What is left of concurrent clicks, with `update` and without. */
export function clicksSection(data: Readonly<Partial<ShopData>>): Html {
  const { countedByUpdate, countedBySet } = data
  return html`<section class="card" id="clicks" aria-labelledby="clicks-title">
  <h2 id="clicks-title">${CLICKS} concurrent clicks</h2>
  ${
    countedByUpdate === undefined || countedBySet === undefined
      ? html`<p class="hint">The server sends itself ${CLICKS} requests with your cookie, once for each way of counting.</p>`
      : html`<dl class="times counts">
    ${countOf('session.update', 'update', countedByUpdate)}
    ${countOf('session.get, then session.set', 'set', countedBySet)}
  </dl>`
  }
  <form method="post" action="/clicks"><button>Fire ${CLICKS} clicks</button></form>
</section>`
}

function countOf(call: string, name: string, count: number): Html {
  const lost = CLICKS - count
  return html`<div>
  <dt><code>${call}</code></dt>
  <dd><span class="clock" data-counted="${name}">${count} of ${CLICKS}</span>
    <span class="hint">${lost === 0 ? 'No click is lost.' : `Lost updates: ${lost}.`}</span></dd>
</div>`
}
