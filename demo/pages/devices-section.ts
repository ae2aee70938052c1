import type { SessionInfo } from 'pg-sessions'
import { type Html, html } from './html.ts'
import { icon } from './layout.ts'
import { ago } from './time-text.ts'

/** Where the user is signed in. */
export function devicesSection(devices: readonly SessionInfo[]): Html {
  return html`<section class="card" id="devices" aria-labelledby="devices-title">
  <h2 id="devices-title">Your devices</h2>
  <ul class="devices">${devices.map(deviceItem)}</ul>
  ${
    devices.length > 1
      ? html`<form method="post" action="/devices/sign-out-others">
    <button>Sign out all others</button>
  </form>`
      : html`<p class="hint">Open this page in a private window and sign in with the same name.</p>`
  }
</section>`
}

function deviceItem({ id, device, isCurrent, actor, createdAt, lastAccessAt }: SessionInfo): Html {
  const label = device?.label ?? 'Some browser'
  const since = `${actor === null ? 'signed in' : `${actor} acts as this user, began`} ${ago(createdAt)}`
  return html`<li>
  ${icon('device')}
  <p>
    <strong>${label}</strong> ${isCurrent && html`<span class="badge">this one</span>`} ${actor !== null && html`<span class="badge">by support</span>`}
    <span>${since}, used ${isCurrent ? 'now' : ago(lastAccessAt)}</span>
  </p>
  ${
    !isCurrent &&
    html`<form method="post" action="/devices/${id}/sign-out">
    <button aria-label="Sign out ${label}, ${since}">Sign out</button>
  </form>`
  }
</li>`
}
