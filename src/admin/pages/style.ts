/**
 * The style of every page, within the page: its hash is in the content security policy, so that no other style
 * applies, and no second request needs a right of its own.
 */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: light-dark(#f6f7f8, #14171a);
  --card: light-dark(#ffffff, #1d2125);
  --line: light-dark(#d8dce0, #343a40);
  --ink: light-dark(#1c2226, #e8eaec);
  --soft: light-dark(#545e66, #a5afb7);
  --accent: light-dark(#155e8b, #7cc4f0);
  --on-accent: light-dark(#ffffff, #0b1b26);
  --danger: light-dark(#a3271f, #ff9d94);
  --on-danger: light-dark(#ffffff, #2b0a07);
  --notice: light-dark(#e4f2ea, #1c3327);
  --warning: light-dark(#fcf0d4, #3a2f14);
}
* { box-sizing: border-box; }
body {
  margin: 0;
  font: 1rem / 1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif;
  color: var(--ink);
  background: var(--paper);
  -webkit-text-size-adjust: 100%;
  overflow-wrap: anywhere;
}
header, main, footer { max-width: 72rem; margin: 0 auto; padding: 0.75rem 1rem; }
header { display: flex; flex-wrap: wrap; gap: 0.25rem 1.5rem; align-items: baseline; justify-content: space-between; }
header p, footer p { margin: 0; color: var(--soft); }
nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; margin: 0; padding: 0; list-style: none; }
h1 { margin: 0 0 1rem; font-size: 1.375rem; line-height: 1.3; }
h2 { margin: 0 0 0.75rem; font-size: 1.0625rem; }
a { color: var(--accent); }
a:focus-visible, button:focus-visible, input:focus-visible, select:focus-visible, summary:focus-visible, [tabindex]:focus-visible {
  outline: 3px solid var(--accent); outline-offset: 2px;
}
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: 0.5rem; padding: 0.5rem; background: var(--card); }
.grid { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(21rem, 100%), 1fr)); }
.grid > * { min-width: 0; }
section { margin: 0 0 1rem; padding: 1rem; background: var(--card); border: 1px solid var(--line); border-radius: 0.5rem; }
.grid > section { margin: 0; }
.wide { grid-column: 1 / -1; }
form.search { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: end; margin: 0 0 1rem; }
form.search label { display: grid; gap: 0.125rem; font-size: 0.875rem; color: var(--soft); }
form.search label:nth-of-type(2) { flex: 1 1 12rem; }
input, select, button, .button {
  min-height: 2.5rem; padding: 0.375rem 0.75rem; font: inherit; color: var(--ink);
  background: var(--card); border: 1px solid var(--soft); border-radius: 0.375rem;
}
input { width: 100%; min-width: 0; }
button, .button { cursor: pointer; color: var(--on-accent); background: var(--accent); border-color: var(--accent); }
button.danger, .button.danger { color: var(--on-danger); background: var(--danger); border-color: var(--danger); }
.button { display: inline-block; text-decoration: none; }
.actions { display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: center; margin: 1rem 0 0; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption, figcaption { padding: 0 0 0.5rem; font-weight: 600; text-align: left; }
th, td { padding: 0.25rem 0.75rem 0.25rem 0; font-weight: 400; text-align: left; vertical-align: top; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--soft); font-size: 0.875rem; }
.figure { text-align: right; padding-right: 0; white-space: nowrap; }
.bars td, .bars th { border-top: 0; }
.bars th { width: 50%; font-size: 0.9375rem; }
.bars .bar { width: 20%; padding-right: 0.5rem; }
.bar svg { display: block; width: 100%; height: 0.75rem; margin-top: 0.375rem; }
svg rect { fill: var(--accent); }
figure { margin: 0; }
.facts + figure { margin-top: 1rem; }
svg.columns { display: block; width: 100%; height: 7rem; border-bottom: 1px solid var(--soft); }
.axis { display: flex; justify-content: space-between; margin: 0.25rem 0 0; font-size: 0.8125rem; color: var(--soft); }
.note { margin: 0.5rem 0 0; font-size: 0.875rem; color: var(--soft); }
summary { cursor: pointer; font-size: 0.875rem; }
.scroll { overflow-x: auto; max-height: 22rem; overflow-y: auto; }
.scroll th, .scroll td { overflow-wrap: normal; }
.scroll .text { min-width: 8rem; overflow-wrap: anywhere; }
.numbers { display: grid; gap: 0.75rem 1.5rem; grid-template-columns: repeat(auto-fill, minmax(min(9rem, 100%), 1fr)); margin: 0; }
.numbers dt, .facts dt { font-size: 0.875rem; color: var(--soft); }
.numbers dd { margin: 0; font-size: 1.25rem; font-weight: 600; }
.facts { display: grid; gap: 0.5rem 1rem; grid-template-columns: repeat(auto-fill, minmax(min(16rem, 100%), 1fr)); margin: 0; }
.grid .facts { grid-template-columns: repeat(auto-fill, minmax(min(8.5rem, 100%), 1fr)); }
.facts dd { margin: 0; }
h3 { margin: 1rem 0 0.25rem; font-size: 1rem; }
.notice, .warning { padding: 0.75rem 1rem; border-radius: 0.5rem; background: var(--notice); }
.warning { background: var(--warning); }
code, pre { font: 0.875rem / 1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
pre { margin: 0; white-space: pre-wrap; }
.dead { color: var(--soft); }
@media (min-width: 60rem) {
  .wide .scroll th code, .wide .scroll td:not(.text) { white-space: nowrap; }
}
@media (max-width: 30rem) {
  header, main, footer { padding-inline: 0.75rem; }
  section { padding: 0.75rem; }
}
`
