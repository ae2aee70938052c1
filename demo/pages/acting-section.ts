import { type Html, html } from './html.ts'

/** The administrator's way to see the shop as a user sees it. */
export function actAsSection(): Html {
  return html`<section class="card" id="act-as" aria-labelledby="act-as-title">
  <h2 id="act-as-title">Act as a user</h2>
  <form class="sign-in" method="post" action="/act-as">
    <label for="user">User</label>
    <input id="user" name="user" required maxlength="40" autocomplete="off" value="ann">
    <button>Act as this user</button>
  </form>
  <p class="hint">For 15 minutes, in a session of its own. The user sees it in their devices.</p>
</section>`
}

/** Says who acts as whom, with a way back. */
export function actingBanner(actor: string, userId: string): Html {
  return html`<form class="acting" method="post" action="/stop-acting" aria-label="Acting as a user">
  <p><strong>${actor}</strong> acts as <strong>${userId}</strong>, for at most 15 minutes.</p>
  <button>Stop acting</button>
</form>`
}
