import { type Html, html } from './html.ts'

/** The user's address, and a way to let the sign-in grow old. */
export function addressSection(address: string | undefined, isActing: boolean): Html {
  return html`<section class="card" id="address" aria-labelledby="address-title">
  <h2 id="address-title">Your address</h2>
  <p class="address">${address ?? 'None yet'}</p>
  <form class="moments" action="/address">
    <button>Change your address</button>
    <p class="hint">Needs a sign-in within the last 5 minutes.</p>
  </form>
  ${
    !isActing &&
    html`<form class="moments" method="post" action="/age-sign-in">
    <button>Let 10 minutes pass</button>
    <p class="hint">Moves your sign-in back, in the database.</p>
  </form>`
  }
</section>`
}
