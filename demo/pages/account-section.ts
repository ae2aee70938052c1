import { type Html, html } from './html.ts'

/** Signing in, or who is signed in and what they can do with their session. */
export function accountSection(userId: string | null): Html {
  return userId === null ? signInCard() : accountCard(userId)
}

function signInCard(): Html {
  return html`<section class="card" aria-labelledby="account-title">
  <h2 id="account-title">Sign in</h2>
  <form class="sign-in" method="post" action="/sign-in">
    <label for="name">Name</label>
    <input id="name" name="name" required maxlength="40" autocomplete="username" placeholder="Any name will do">
    <label class="check"><input type="checkbox" name="remember" value="yes"> Remember me for 30 days</label>
    <button class="primary">Sign in</button>
  </form>
  <p class="hint">There is no password. Your basket comes along.</p>
</section>`
}

function accountCard(userId: string): Html {
  return html`<section class="card" aria-labelledby="account-title">
  <h2 id="account-title">Signed in as <span class="name">${userId}</span></h2>
  <form class="actions" method="post">
    <button class="primary" formaction="/sign-out">Sign out</button>
    <button formaction="/rotate">Rotate token</button>
    <button formaction="/clear">Clear session</button>
  </form>
  <p class="hint">Rotate: a new token, the same data. Clear: a new token, no data, no user.</p>
  <form class="moments" method="post" action="/slow-save">
    <button>Save after sign-out</button>
    <p class="hint">A slow request saves when you have already signed out.</p>
  </form>
</section>`
}
