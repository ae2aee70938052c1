import { decodeDevice } from '../../session/device.ts'
import type { InspectedSession } from '../../store/session-store.ts'
import { formatRelative } from './figures.ts'
import { type Content, type Html, html } from './html.ts'
import { sessionLink, userLink } from './links.ts'

/** Lists sessions, or says that there are none. */
export function sessionsTable(
  label: string,
  sessions: readonly InspectedSession[],
  now: number,
): Html {
  if (sessions.length === 0) return html`<p>No session was found.</p>`
  return html`<div class="scroll" tabindex="0" role="group" aria-label="${label}"><table>
<thead><tr><th scope="col">Session</th><th scope="col">User</th><th scope="col">Device</th><th scope="col">Began</th><th scope="col">Last used</th><th scope="col">Expires</th></tr></thead>
<tbody>
${sessions.map((session) => row(session, now))}</tbody>
</table></div>`
}

function row(session: InspectedSession, now: number): Html {
  const { id, userId, createdAt, lastAccessAt, isLive } = session
  return html`<tr>
  <th scope="row" class="text"><a href="${sessionLink(id)}"><code>${id}</code></a></th>
  <td class="text">${userOf(userId)}</td>
  <td class="text">${labelOf(session)}</td>
  <td>${formatRelative(createdAt, now)}</td>
  <td>${formatRelative(lastAccessAt, now)}</td>
  <td>${isLive ? formatRelative(session.expiresAt, now) : html`<span class="dead">expired ${formatRelative(session.expiresAt, now)}</span>`}</td>
</tr>
`
}

export function userOf(userId: string | null): Content {
  return userId === null ? 'not signed in' : html`<a href="${userLink(userId)}">${userId}</a>`
}

/** What people know the device by. Descriptions come from a database that others can write to. */
function labelOf({ device }: InspectedSession): string {
  const label = decodeDevice(device)?.label
  return typeof label === 'string' ? label : ''
}
