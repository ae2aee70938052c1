import { type Content, type Html, html } from '../pages/html.ts'

/** One column of a chart, the earliest first. Null where nothing was measured. */
interface Column {
  /** When, in words: `3 hours ago`. */
  readonly label: string
  readonly value: number | null
  readonly text: string
}

export interface ColumnChart {
  readonly caption: string
  readonly columns: readonly Column[]
  /** What stands below: where the figures come from, and what they leave out. */
  readonly note?: Content
}

/** Fewer columns stand at the right, as wide as if there were these, so that one alone does not fill the chart. */
const LEAST_COLUMNS = 24

/** A chart of values over time. The figures are beneath it, behind a summary that opens without a script. */
export function columnChart({ caption, columns, note }: ColumnChart): Html {
  const values = columns.map(({ value }) => value ?? 0)
  const most = Math.max(...values, 0)
  const width = Math.max(columns.length, LEAST_COLUMNS)
  const left = width - columns.length
  const peak = columns.find(({ value }) => value === most)
  const summary =
    peak === undefined || most === 0
      ? `${caption}: nothing yet.`
      : `${caption}. The most: ${peak.text}, ${peak.label}.`
  return html`<figure>
<figcaption>${caption}</figcaption>
<svg class="columns" viewBox="0 0 ${width} 100" preserveAspectRatio="none" role="img" aria-label="${summary}">
${columns.map(({ value }, index) => drawn(value ?? 0, most, left + index))}
</svg>
<p class="axis"><span>${columns.length > 1 && columns[0]?.label}</span><span>${columns.at(-1)?.label ?? ''}</span></p>
${note && html`<p class="note">${note}</p>`}
<details><summary>Figures: ${caption}</summary>
<div class="scroll" tabindex="0" role="group" aria-label="${caption}"><table>
<thead><tr><th scope="col">When</th><th scope="col">How many</th></tr></thead>
<tbody>${columns.map(({ label, text }) => html`<tr><th scope="row">${label}</th><td class="figure">${text}</td></tr>`)}</tbody>
</table></div>
</details>
</figure>`
}

function drawn(value: number, most: number, index: number): Html | false {
  if (value === 0) return false
  const height = Math.max(1, (100 * value) / most)
  return html`<rect x="${index + 0.1}" y="${(100 - height).toFixed(2)}" width="0.8" height="${height.toFixed(2)}"></rect>`
}
