import { bundledLanguages } from 'shiki'
import { defineConfig } from 'vitepress'
import { sections } from '../sections.ts'
import { slugOf } from '../slug.ts'

/** Set by `npm run check`, which needs the pages alone. */
const isTrial = process.env['SITE_TRIAL'] !== undefined

/** Shows code without its colours, which take most of the time, and refuses a language that has none. */
function plainCode(code: string, language: string): string {
  if (language !== '' && language !== 'text' && !(language in bundledLanguages)) {
    throw new Error(`The site knows no language "${language}" of code.`)
  }
  const text = code.replace(/[&<{]/g, (character) => `&#${character.charCodeAt(0)};`)
  return `<pre v-pre><code>${text}</code></pre>`
}

/** The documentation as a site. `scripts/docs-site.ts` copies the pages of `docs/` to `pages/` and builds it. */
export default defineConfig({
  title: 'pg-sessions',
  description: 'Durable server-side sessions in PostgreSQL for TypeScript web applications.',
  lang: 'en',
  // Of a project's page on GitHub.
  base: '/pg-sessions/',
  srcDir: 'pages',
  cleanUrls: true,
  mpa: isTrial,
  // The index of the search is one chunk.
  vite: { build: { chunkSizeWarningLimit: 4_000 } },
  markdown: {
    // The pages are written for GitHub, which knows no attributes.
    attrs: { disable: true },
    anchor: { slugify: slugOf },
    ...(isTrial ? { highlight: plainCode } : {}),
  },
  themeConfig: {
    ...(isTrial ? {} : { search: { provider: 'local' } }),
    nav: [
      { text: 'Start', link: '/start' },
      { text: 'Frameworks', link: '/frameworks' },
      { text: 'Recipes', link: '/recipes/' },
      { text: 'API', link: '/api/' },
    ],
    sidebar: sections,
    outline: [2, 3],
    socialLinks: [{ icon: 'github', link: 'https://github.com/pg-sessions/pg-sessions' }],
  },
})
