import { type Content, type Html, html } from './html.ts'

/** The frame around every page. */
export function layout(title: string, content: Content): Html {
  return html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>${title}</title>
  <link rel="icon" href="/favicon.svg" type="image/svg+xml">
  <link rel="stylesheet" href="/style.css">
  <script src="/countdown.js" type="module"></script>
</head>
<body>
${content}
</body>
</html>
`
}

/** One of the drawings in `public/icons.svg`. */
export function icon(name: string): Html {
  return html`<svg class="icon" aria-hidden="true"><use href="/icons.svg#${name}"></use></svg>`
}
