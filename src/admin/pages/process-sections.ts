import { columnChart } from '../charts/columns.ts'
import type { OperationFigures, PurgeRun } from '../history/process-history.ts'
import { formatCount, formatMilliseconds, formatRelative, formatSpan } from './figures.ts'
import { type Content, type Html, html } from './html.ts'

/** What this process has seen. */
export interface ProcessFacts {
  /** How long it has been counting, in milliseconds. */
  readonly span: number
  readonly operations: readonly OperationFigures[]
  /** By the minute, for the last hour. */
  readonly calls: readonly number[]
  readonly signIns: readonly number[]
  readonly purges: readonly PurgeRun[]
}

export function processSections(facts: ProcessFacts): Content {
  return [
    html`<section aria-label="Calls">${minutes('Calls a minute in this process', facts.calls)}</section>`,
    html`<section aria-label="Sign-ins in this process">${minutes('Sign-ins a minute in this process', facts.signIns)}</section>`,
    html`<section aria-labelledby="purges"><h2 id="purges">Purges of this process</h2>
${purgesTable(facts.purges)}</section>`,
    html`<section class="wide" aria-labelledby="operations"><h2 id="operations">Calls of this process</h2>
${operationsTable(facts.operations)}
<p class="note">Of all sessions of this process, in the ${formatSpan(facts.span)} since the page was made. Times are those that requests waited for.</p></section>`,
  ]
}

function minutes(caption: string, counts: readonly number[]): Html {
  const columns = counts.map((value, index) => {
    const ago = counts.length - 1 - index
    const label = ago === 0 ? 'this minute' : `${ago} minute${ago === 1 ? '' : 's'} ago`
    return { label, value, text: formatCount(value) }
  })
  return columnChart({ caption, columns })
}

function operationsTable(operations: readonly OperationFigures[]): Html {
  if (operations.length === 0) return html`<p>None yet.</p>`
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Calls of this process"><table>
<thead><tr><th scope="col">Call</th><th scope="col" class="figure">How many</th><th scope="col" class="figure">Failed</th><th scope="col" class="figure">Mean</th><th scope="col" class="figure">Longest</th></tr></thead>
<tbody>${operations.map(
    ({ operation, calls, failed, mean, longest }) => html`<tr>
<th scope="row">${operation}</th><td class="figure">${formatCount(calls)}</td><td class="figure">${formatCount(failed)}</td><td class="figure">${formatMilliseconds(mean)}</td><td class="figure">${formatMilliseconds(longest)}</td>
</tr>
`,
  )}</tbody></table></div>`
}

function purgesTable(purges: readonly PurgeRun[]): Html {
  if (purges.length === 0) return html`<p>None has deleted a session yet.</p>`
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Purges of this process"><table>
<thead><tr><th scope="col">When</th><th scope="col" class="figure">Deleted</th><th scope="col" class="figure">Took</th></tr></thead>
<tbody>${purges.map(
    ({ at, removed, milliseconds }) => html`<tr>
<th scope="row">${formatRelative(at, Date.now())}</th><td class="figure">${formatCount(removed)}</td><td class="figure">${formatMilliseconds(milliseconds)}</td>
</tr>
`,
  )}</tbody></table></div>`
}
