/**
 * Builds the documentation as a site in `site/.vitepress/dist`: `npm run docs:site`. `npm run check -- site` builds it
 * for a trial. What it needs is installed in `site/` when it is first built, so `npm ci` here stays as it is.
 */
import { join } from 'node:path'
import { buildSite } from './docs-site/build-site.ts'
import { root } from './run-command.ts'

const into = join(root, 'site', '.vitepress', 'dist')
const { ok, output } = await buildSite({ into, isTrial: false })
if (ok) console.log('The site is in site/.vitepress/dist.')
else console.error(output)
process.exitCode = ok ? 0 : 1
