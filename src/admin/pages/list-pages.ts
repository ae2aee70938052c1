import type { InspectedSession } from '../../store/session-store.ts'
import type { Search } from '../requested-view.ts'
import { formatCount } from './figures.ts'
import { type Content, type Html, html } from './html.ts'
import { type Frame, layout } from './layout.ts'
import { endTagLink, endUserLink, newestLink } from './links.ts'
import { searchForm } from './search-form.ts'
import { sessionsTable } from './sessions-table.ts'

/** What a list is made of. */
export interface List {
  readonly sessions: readonly InspectedSession[]
  /** Whether more were left out. */
  readonly isCut: boolean
  readonly now: number
  readonly canSearchDevices: boolean
}

/** A page of all sessions, expired ones included. */
export function newestPage(frame: Frame, list: List): Html {
  const last = list.sessions.at(-1)
  return layout(
    frame,
    html`${searchForm(list.canSearchDevices)}
<section aria-label="Sessions">
${sessionsTable('Newest sessions', list.sessions, list.now)}
${list.isCut && last && html`<p class="actions"><a class="button" href="${newestLink(last.id)}">Older sessions</a></p>`}
<p class="note">In the order of their ids, which is that of their beginning. Ids that were made of the ids of another session system have no order in time.</p>
</section>`,
  )
}

/** The sessions that a search has found. */
export function searchPage(
  frame: Frame,
  search: Search,
  list: List & { readonly ended: number | null; readonly among: number },
): Html {
  const { sessions, isCut, now, ended, among } = list
  const canEnd = search.by !== 'device' && sessions.length > 0
  const isUser = search.by === 'user'
  return layout(
    frame,
    html`${searchForm(list.canSearchDevices, search)}
${endedNotice(ended)}
<section aria-label="Sessions found">
${sessionsTable(frame.title, sessions, now)}
${isCut && html`<p class="note">There are more than the ${formatCount(sessions.length)} shown.</p>`}
${search.by === 'device' && html`<p class="note">Labels are in no index: among the ${formatCount(among)} newest sessions.</p>`}
${canEnd && html`<p class="actions"><a class="button danger" href="${isUser ? endUserLink(search.text) : endTagLink(search.text)}">End all sessions ${isUser ? 'of this user' : 'with this tag'}</a></p>`}
</section>`,
  )
}

/** Says what an action has done. */
export function endedNotice(ended: number | null): Content {
  if (ended === null) return null
  const text =
    ended === 0
      ? 'No live session was left to end.'
      : ended === 1
        ? 'One session has ended.'
        : `${formatCount(ended)} sessions have ended.`
  return html`<p class="notice" role="status">${text}</p>`
}
