import type { Search } from '../requested-view.ts'
import { type Html, html } from './html.ts'

const CHOICES: readonly (readonly [Search['by'], string])[] = [
  ['user', 'User id'],
  ['session', 'Session id'],
  ['tag', 'Tag'],
  ['device', "Device's label"],
]

/** The form for searches, with what was searched last. */
export function searchForm(canSearchAll: boolean, search?: Search): Html {
  const choices = CHOICES.filter(([by]) => canSearchAll || by === 'user' || by === 'session')
  return html`<form class="search" method="get" role="search" aria-label="Sessions">
<label>Search by<select name="by">${choices.map(([by, name]) =>
    by === search?.by
      ? html`<option value="${by}" selected>${name}</option>`
      : html`<option value="${by}">${name}</option>`,
  )}</select></label>
<label>Search for<input name="q" value="${search?.text ?? ''}" maxlength="255" autocomplete="off" autocapitalize="off" spellcheck="false" required></label>
<button>Search</button>
</form>`
}
