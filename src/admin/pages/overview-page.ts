import type { InspectedSession, SessionFigures, StoreFigures } from '../../store/session-store.ts'
import { barRows } from '../charts/bar-rows.ts'
import { columnChart } from '../charts/columns.ts'
import type { Moment } from '../history/store-history.ts'
import { formatCount, formatEstimate, formatRelative, formatSpan } from './figures.ts'
import { type Content, type Html, html } from './html.ts'
import { type Frame, layout } from './layout.ts'
import { type ProcessFacts, processSections } from './process-sections.ts'
import { searchForm } from './search-form.ts'
import { sessionsTable } from './sessions-table.ts'
import { purgeSection, tableSections } from './table-sections.ts'

/** What the first page shows. */
export interface OverviewFacts {
  /** Null if the store cannot be looked at, or did not answer. */
  readonly stored: {
    readonly figures: StoreFigures
    readonly newest: readonly InspectedSession[]
    readonly moments: readonly Moment[]
  } | null
  /** Why there is nothing of the store. */
  readonly problem: string | null
  readonly canSearchDevices: boolean
  readonly process: ProcessFacts
}

export function overviewPage(frame: Frame, facts: OverviewFacts): Html {
  const { stored, problem, process } = facts
  return layout(
    frame,
    html`${searchForm(facts.canSearchDevices)}
${problem !== null && html`<p class="warning" role="status">${problem}</p>`}
<div class="grid">
${stored && storeSections(stored)}
${processSections(process)}
${stored && newestSection(stored)}
</div>`,
  )
}

function storeSections({ figures, moments }: NonNullable<OverviewFacts['stored']>): Content {
  const { sessions, tables, purge, time } = figures
  return [
    sessions === null
      ? html`<section class="wide"><p>Figures of all sessions come from a sample of the table, which distributed tables do not give.</p></section>`
      : sessionSections(sessions),
    html`<section aria-label="Live sessions over time">${columnChart({
      caption: 'Live sessions over time',
      columns: moments.map(({ at, live }) => ({
        label: formatRelative(at, Date.now()),
        value: live,
        text: live === null ? 'unknown' : formatEstimate(live, sessions?.isExact ?? false),
      })),
      note: 'As this process noted them.',
    })}</section>`,
    tableSections(tables, time),
    purgeSection(purge, moments, time),
  ]
}

function newestSection({ figures, newest }: NonNullable<OverviewFacts['stored']>): Html {
  return html`<section class="wide" aria-labelledby="newest"><h2 id="newest">Newest sessions</h2>
${sessionsTable('Newest sessions', newest, figures.time)}</section>`
}

function sessionSections(sessions: SessionFigures): Content {
  const { isExact } = sessions
  const count = (number: number): string => formatEstimate(number, isExact)
  const bars = (parts: SessionFigures['ages'], unit: (from: number, to: number) => string) =>
    parts.map(({ from, count: value }, index) => ({
      label: unit(from, parts[index + 1]?.from ?? Number.POSITIVE_INFINITY),
      value,
      text: count(value),
    }))
  return [
    html`<section class="wide" aria-labelledby="numbers"><h2 id="numbers">Sessions</h2>
<dl class="numbers">
<div><dt>Live</dt><dd>${count(sessions.live)}</dd></div>
<div><dt>Of signed-in users</dt><dd>${count(sessions.signedIn)}</dd></div>
<div><dt>Users signed in</dt><dd>${count(sessions.users)}</dd></div>
<div><dt>Expired, not purged</dt><dd>${count(Math.max(0, sessions.stored - sessions.live))}</dd></div>
</dl>
${!isExact && html`<p class="note">Estimated from a random sample of the table, so figures differ a little each time.</p>`}</section>`,
    html`<section aria-label="Sign-ins">${columnChart({
      caption: 'Sign-ins of the last day',
      columns: sessions.signIns
        .map(({ from, count: value }) => ({
          label: from === 0 ? 'within the last hour' : `${from} to ${from + 1} hours ago`,
          value,
          text: count(value),
        }))
        .reverse(),
      note: 'The last sign-in of each session that is stored. Sessions that have ended or were purged are missing.',
    })}</section>`,
    html`<section aria-label="Expiry">${barRows(
      'Live sessions by the time until they expire',
      bars(sessions.remaining, span),
    )}</section>`,
    html`<section aria-label="Age">${barRows('Live sessions by age', bars(sessions.ages, span))}</section>`,
    html`<section aria-label="Sessions per user">${barRows(
      'Users by their number of live sessions',
      bars(sessions.sessionsPerUser, range),
    )}
${!isExact && html`<p class="note">From the users of a sample of sessions.</p>`}</section>`,
  ]
}

/** `1 hour to 6 hours` of milliseconds. */
function span(from: number, to: number): string {
  if (!Number.isFinite(to)) return `${formatSpan(from)} or more`
  return from === 0 ? `under ${formatSpan(to)}` : `${formatSpan(from)} to ${formatSpan(to)}`
}

/** `3 to 5` of whole numbers. */
function range(from: number, to: number): string {
  if (!Number.isFinite(to)) return `${formatCount(from)} or more`
  return to === from + 1 ? formatCount(from) : `${formatCount(from)} to ${formatCount(to - 1)}`
}
