import type { RequestTrace } from '../under-the-hood/round-trip-log.ts'
import { SCHEMA, type StoredSession } from '../under-the-hood/stored-session.ts'
import { type Html, html } from './html.ts'

interface HoodFacts {
  readonly stored: StoredSession | null
  readonly formerHash: string | undefined
  readonly requests: readonly RequestTrace[]
}

/** What lies behind the page: the browser's half, the database's half, and what it cost. */
export function hoodSection({ stored, formerHash, requests }: HoodFacts): Html {
  return html`<section class="hood" id="hood" aria-labelledby="hood-title">
  <h2 id="hood-title">Under the hood</h2>
  <div class="halves">
    <div class="half">${stored === null ? nothingYet() : browserPanel()}${costPanel(requests)}</div>
    ${stored && html`<div class="half">${sessionPanel(stored, formerHash)}${entriesPanel(stored)}</div>`}
  </div>
</section>`
}

function nothingYet(): Html {
  return html`<div class="panel">
  <h3>Nothing yet</h3>
  <p class="hint">There is no cookie in your browser and no row in the database. A visitor costs nothing until there is something to keep.</p>
</div>`
}

function browserPanel(): Html {
  return html`<div class="panel">
  <h3>Your browser has</h3>
  <p class="cookie"><code>demo-id</code> <span aria-hidden="true">••••••••••••••••••••••••</span></p>
  <p class="hint">A token in a cookie that is HttpOnly: not even this page's scripts can read it. The database, logs and errors never contain it.</p>
</div>`
}

function sessionPanel(stored: StoredSession, formerHash: string | undefined): Html {
  const { id, user_id, actor_id, authenticated_at, created_at, last_access_at } = stored
  const none = html`<em>null</em>`
  const cells: readonly (readonly [string, string | Html])[] = [
    ['id', id],
    ['secret_hash', hashOf(stored, formerHash)],
    ['user_id', user_id ?? none],
    ...(actor_id === null ? [] : [['actor_id', actor_id] as const]),
    ['authenticated_at', authenticated_at === null ? none : sqlTime(authenticated_at)],
    ['created_at', sqlTime(created_at)],
    ['last_access_at', sqlTime(last_access_at)],
    ['expires_at', sqlTime(stored.expires_at)],
    ['absolute_expires_at', sqlTime(stored.absolute_expires_at)],
  ]
  return html`<div class="panel">
  <h3>PostgreSQL has a row in <code>${SCHEMA}.session</code></h3>
  <dl class="row">${cells.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
</div>`
}

/** The hash, beside the one that it has just replaced. */
function hashOf({ hash_start, hash_bytes }: StoredSession, formerHash: string | undefined): Html {
  return html`${formerHash && html`<del>${formerHash}…</del> → `}<mark>${hash_start}</mark>… <em>SHA-256, ${hash_bytes} bytes</em>`
}

function entriesPanel({ entries }: StoredSession): Html {
  return html`<div class="panel">
  <h3>and a row for each key in <code>${SCHEMA}.session_entry</code></h3>
  ${
    entries.length === 0
      ? html`<p class="hint">No rows: the session holds nothing.</p>`
      : html`<table>
    <thead><tr><th scope="col">key</th><th scope="col">value</th></tr></thead>
    <tbody>${entries.map(({ key, value }) => html`<tr><td>${key}</td><td>${value}</td></tr>`)}</tbody>
  </table>`
  }
</div>`
}

function costPanel(requests: readonly RequestTrace[]): Html {
  return html`<div class="panel">
  <h3>The session cost these round trips</h3>
  <dl class="cost">${requests.map(costOf)}</dl>
  <p class="hint">This panel's own queries are left out. Your visit is noted after the response, and only now and then.</p>
</div>`
}

function costOf({ request, roundTrips }: RequestTrace): Html {
  return html`<div>
  <dt>${request}</dt>
  ${roundTrips.length === 0 && html`<dd><em>none</em></dd>`}
  ${roundTrips.map(
    ({ operation, milliseconds }) =>
      html`<dd>${operation} <em>${milliseconds.toFixed(1)} ms</em></dd>`,
  )}
</div>`
}

/** As psql shows it. */
function sqlTime(date: Date): string {
  return date.toISOString().replace('T', ' ').slice(0, 19)
}
