import { decodeDevice } from '../../session/device.ts'
import type { InspectedSession } from '../../store/session-store.ts'
import { formatBytes, formatRelative, formatTime } from './figures.ts'
import { type Content, type Html, html } from './html.ts'
import { type Frame, layout } from './layout.ts'
import { endSessionLink, tagLink } from './links.ts'
import { endedNotice } from './list-pages.ts'
import { searchForm } from './search-form.ts'
import { userOf } from './sessions-table.ts'

/** A key of the session, with its value if it may be shown. */
export interface ShownEntry {
  /** Null if the codec cannot decode it. */
  readonly key: string | null
  readonly size: number
  readonly value: string | null
}

/** What the page of a session shows. */
export interface SessionFacts {
  readonly id: string
  /** Null if no session with this id is stored. */
  readonly session: InspectedSession | null
  /** Null if the store does not show them. */
  readonly entries: readonly ShownEntry[] | null
  readonly isCut: boolean
  readonly ended: number | null
  readonly now: number
  readonly canSearchDevices: boolean
}

export function sessionPage(frame: Frame, facts: SessionFacts): Html {
  const { id, session, ended } = facts
  const search = { by: 'session', text: id } as const
  return layout(
    frame,
    html`${searchForm(facts.canSearchDevices, search)}
${endedNotice(ended)}
${session === null ? html`<p>No session with this id is stored. It has ended, or never was.</p>` : stored(session, facts)}`,
  )
}

function stored(session: InspectedSession, { entries, isCut, now }: SessionFacts): Content {
  const { id, userId, isLive } = session
  const time = (at: number | null): Content =>
    at === null ? 'never' : `${formatTime(at)} (${formatRelative(at, now)})`
  return html`<section aria-labelledby="times">
<h2 id="times">The session</h2>
<dl class="facts">
<div><dt>Id</dt><dd><code>${id}</code></dd></div>
<div><dt>User</dt><dd>${userOf(userId)}</dd></div>
${
  session.tags &&
  html`<div><dt>Tags</dt><dd>${session.tags.map((tag) => html`<a href="${tagLink(tag)}">${tag}</a> `)}</dd></div>
`
}<div><dt>State</dt><dd>${isLive ? 'live' : 'expired, not yet purged'}</dd></div>
<div><dt>Began</dt><dd>${time(session.createdAt)}</dd></div>
<div><dt>Signed in</dt><dd>${time(session.authenticatedAt)}</dd></div>
<div><dt>Last access noted</dt><dd>${time(session.lastAccessAt)}</dd></div>
<div><dt>Expires if not used</dt><dd>${time(session.expiresAt)}</dd></div>
<div><dt>Expires at the latest</dt><dd>${time(session.absoluteExpiresAt)}</dd></div>
${Object.entries(decodeDevice(session.device) ?? {}).map(
  ([name, value]) => html`<div><dt>Device: ${name}</dt><dd>${String(value)}</dd></div>
`,
)}</dl>
${isLive && html`<p class="actions"><a class="button danger" href="${endSessionLink(id)}">End this session</a></p>`}
</section>
${entries !== null && keysSection(entries, isCut)}`
}

function keysSection(entries: readonly ShownEntry[], isCut: boolean): Html {
  return html`<section aria-labelledby="keys">
<h2 id="keys">Keys</h2>
${
  entries.length === 0
    ? html`<p>It holds no keys.</p>`
    : html`<div class="scroll" tabindex="0" role="group" aria-label="Keys"><table>
<thead><tr><th scope="col">Key</th><th scope="col">Size</th><th scope="col">Value</th></tr></thead>
<tbody>${entries.map(entryRow)}</tbody>
</table></div>`
}
${isCut && html`<p class="note">There are more keys than the ${entries.length} shown.</p>`}
</section>`
}

function entryRow({ key, size, value }: ShownEntry): Html {
  return html`<tr>
  <th scope="row" class="text">${key === null ? html`<em>a key that the codec cannot read</em>` : html`<code>${key}</code>`}</th>
  <td>${formatBytes(size)}</td>
  <td class="text">${value === null ? html`<span class="dead">not shown</span>` : html`<pre>${value}</pre>`}</td>
</tr>
`
}
