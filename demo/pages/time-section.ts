import type { StoredSession } from '../under-the-hood/stored-session.ts'
import { type Html, html } from './html.ts'
import { duration } from './time-text.ts'

/** The time left until the session expires. `countdown.js` counts it down; without JavaScript the page shows it as text. */
export function timeSection(stored: StoredSession): Html {
  const { idle_seconds, absolute_seconds, absolute_seconds_left } = stored
  const idleLeft = Math.min(idle_seconds, absolute_seconds_left)
  return html`<section class="card" id="time" aria-labelledby="time-title">
  <h2 id="time-title">Time left</h2>
  <dl class="times">
    ${timeLeft('Idle', 'Every click restarts it.', idleLeft, idle_seconds)}
    ${timeLeft('Absolute', 'No click extends it.', absolute_seconds_left, absolute_seconds)}
  </dl>
  <form class="moments" method="post" action="/expire">
    <button>Expire now</button>
    <p class="hint">Moves the deadline in the database to now.</p>
  </form>
</section>`
}

function timeLeft(label: string, explanation: string, left: number, whole: number): Html {
  return html`<div data-seconds-left="${Math.floor(left)}">
  <dt>${label} <span class="hint">${explanation}</span></dt>
  <dd><span class="clock" role="timer">${duration(left)}</span>
    <progress max="${Math.ceil(whole)}" value="${Math.floor(left)}"></progress></dd>
</div>`
}
