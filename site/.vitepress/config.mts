import { defineConfig } from 'vitepress'
import { sections } from '../sections.ts'
import { slugOf } from '../slug.ts'

/** The documentation as a site. `scripts/docs-site.ts` copies the pages of `docs/` to `pages/` and builds it. */
export default defineConfig({
  title: 'pg-sessions',
  description: 'Durable server-side sessions in PostgreSQL for TypeScript web applications.',
  lang: 'en',
  // Of a project's page on GitHub.
  base: '/pg-sessions/',
  srcDir: 'pages',
  cleanUrls: true,
  // The index of the search is one chunk.
  vite: { build: { chunkSizeWarningLimit: 4_000 } },
  markdown: {
    // The pages are written for GitHub, which knows no attributes.
    attrs: { disable: true },
    anchor: { slugify: slugOf },
  },
  themeConfig: {
    search: { provider: 'local' },
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
