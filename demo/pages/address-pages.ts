import { type Html, html } from './html.ts'
import { layout } from './layout.ts'

/** The form that only a user with a recent sign-in sees. */
export function addressPage(address: string | undefined): Html {
  return layout(
    'Change your address',
    html`<main class="alone">
  <h1>Change your address</h1>
  <form class="sign-in" method="post" action="/address">
    <label for="new-address">Address</label>
    <input id="new-address" name="address" required maxlength="80" autocomplete="street-address" value="${address ?? ''}">
    <button class="primary">Save</button>
  </form>
  <p><a href="/">Back to the shop</a></p>
</main>`,
  )
}

/** Asks a user to sign in again before the form is shown. */
export function signInAgainPage(userId: string): Html {
  return layout(
    'Sign in again',
    html`<main class="alone">
  <h1>Sign in again</h1>
  <p>You signed in more than 5 minutes ago. To change your address, sign in again.</p>
  <form class="sign-in" method="post" action="/sign-in-again">
    <button class="primary">Sign in as <span class="who">${userId}</span></button>
  </form>
  <p class="hint">Your application asks for the password here.</p>
  <p><a href="/">Back to the shop</a></p>
</main>`,
  )
}
