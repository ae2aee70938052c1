import type { PurgeFigures, TableFigures } from '../../store/session-store.ts'
import { barRows } from '../charts/bar-rows.ts'
import { columnChart } from '../charts/columns.ts'
import type { Moment } from '../history/store-history.ts'
import { formatBytes, formatCount, formatPercent, formatRelative, formatTime } from './figures.ts'
import { type Content, type Html, html } from './html.ts'

/** Sizes of tables and indexes, and how well updates and vacuum do. */
export function tableSections(tables: readonly TableFigures[], now: number): Content {
  const sizes = tables.flatMap(({ table, bytes, indexes }) => [
    { label: `table ${table}`, value: bytes, text: formatBytes(bytes) },
    ...indexes.map((index) => ({
      label: `index ${index.name}`,
      value: index.bytes,
      text: formatBytes(index.bytes),
    })),
  ])
  return [
    html`<section aria-label="Sizes">${barRows('Sizes on disk', sizes)}</section>`,
    html`<section aria-labelledby="health"><h2 id="health">Tables</h2>
${tables.map(
  (table) => html`<h3>${table.table}</h3>
<dl class="facts">
<div><dt>Heap-only updates</dt><dd>${formatPercent(table.heapOnlyUpdates, table.updates)} of ${formatCount(table.updates)}</dd></div>
<div><dt>Dead rows</dt><dd>${formatCount(table.deadRows)} beside ${formatCount(table.rows)} rows</dd></div>
<div><dt>Rows deleted</dt><dd>${formatCount(table.deletions)}</dd></div>
<div><dt>Vacuumed</dt><dd>${table.vacuumedAt === null ? 'never' : formatRelative(table.vacuumedAt, now)}</dd></div>
</dl>
`,
)}<p class="note">By PostgreSQL's statistics. With few heap-only updates, every touch adds an entry to every index: <code>pg-sessions doctor</code> says why.</p></section>`,
  ]
}

/** What a purge has still to do, now and before. */
export function purgeSection(
  { backlog, isMore, dueAt }: PurgeFigures,
  moments: readonly Moment[],
  now: number,
): Html {
  const due =
    dueAt === null ? 'nothing is stored' : `${formatRelative(dueAt, now)}, ${formatTime(dueAt)}`
  return html`<section aria-labelledby="purge"><h2 id="purge">Purge</h2>
<dl class="facts">
<div><dt>Backlog</dt><dd>${isMore ? `more than ${formatCount(backlog)}` : formatCount(backlog)} sessions</dd></div>
<div><dt>${backlog > 0 ? 'Due since' : 'Next due'}</dt><dd>${due}</dd></div>
</dl>
${columnChart({
  caption: 'Backlog over time',
  columns: moments.map((moment) => ({
    label: formatRelative(moment.at, Date.now()),
    value: moment.backlog,
    text: formatCount(moment.backlog),
  })),
  note: 'As this process noted it. If it grows, no process purges: call sessions.startPurger().',
})}</section>`
}
