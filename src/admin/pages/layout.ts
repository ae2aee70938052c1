import { createHash } from 'node:crypto'
import { type Content, Html, html } from './html.ts'
import { STYLE } from './style.ts'

/** Nothing from elsewhere, no script, and one style: markup that slipped in would still do nothing. */
export const CONTENT_SECURITY_POLICY: string = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  'img-src data:',
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** What every page is given. */
export interface Frame {
  /** Who looks at it. */
  readonly actor: string
  readonly title: string
}

const STYLE_ELEMENT = new Html(`<style>${STYLE}</style>`)

/** The frame around every page. Links are queries, so a page works wherever it is mounted. */
export function layout({ actor, title }: Frame, content: Content): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${title} · pg-sessions</title>
<link rel="icon" href="data:,">
${STYLE_ELEMENT}
</head>
<body>
<header>
<a class="skip" href="#content">Skip to the content</a>
<nav aria-label="Pages"><ul><li><a href="?">Overview</a></li><li><a href="?newest">Newest sessions</a></li></ul></nav>
<p>You are <strong>${actor}</strong></p>
</header>
<main id="content">
<h1>${title}</h1>
${content}
</main>
<footer><p>pg-sessions. What you do here is logged with your name.</p></footer>
</body>
</html>
`
}
