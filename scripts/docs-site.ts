/**
 * Builds the documentation as a site in `site/.vitepress/dist`: `npm run docs:site`. It fails on a warning, and on a
 * link that leads nowhere. What it needs is installed in `site/`, so `npm ci` here stays as it is.
 */
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { brokenLinks } from './docs-site/broken-links.ts'
import { linksToSite } from './docs-site/links-to-site.ts'
import { root, runCommand } from './run-command.ts'

const site = join(root, 'site')
const pages = join(site, 'pages')

/** Copies the pages, with README among them; their links to other files of the repository lead to GitHub. */
async function writePages(): Promise<void> {
  await rm(pages, { recursive: true, force: true })
  const docs = join(root, 'docs')
  const files = (await readdir(docs, { recursive: true })).map((file) => file.split(sep).join('/'))
  const names = new Map(
    files.filter((file) => file.endsWith('.md')).map((file) => [file, nameOnSite(file)]),
  )
  await cp(docs, pages, { recursive: true, filter: (file) => !file.endsWith('.md') })
  for (const [file, name] of names) {
    const text = await readFile(join(docs, file), 'utf8')
    await writeFile(join(pages, name), linksToSite(text, `docs/${file}`, name, names))
  }
  const readme = await readFile(join(root, 'README.md'), 'utf8')
  await writeFile(join(pages, 'start.md'), linksToSite(readme, 'README.md', 'start.md', names))
  await cp(join(site, 'index.md'), join(pages, 'index.md'))
}

/** GitHub shows README for a folder, and a web server shows index. */
function nameOnSite(file: string): string {
  if (file === 'api/index.md') return 'api/pg-sessions.md'
  return file.replace(/(^|\/)README\.md$/, '$1index.md')
}

async function main(): Promise<number> {
  const installed = await runCommand('npm', ['ci', '--no-audit', '--no-fund'], { cwd: site })
  if (!installed.ok) return failed('The tools of the site could not be installed', installed.output)
  await writePages()
  const program = join(site, 'node_modules', 'vitepress', 'bin', 'vitepress.js')
  const built = await runCommand(process.execPath, [program, 'build', '.'], { cwd: site })
  if (!built.ok || /warn/i.test(built.output)) {
    return failed('The site could not be built without a warning', built.output)
  }
  const dist = join(site, '.vitepress', 'dist')
  const broken = await brokenLinks(dist, '/pg-sessions/')
  if (broken.length > 0) return failed('Links that lead nowhere', broken.join('\n'))
  console.log('The site is in site/.vitepress/dist.')
  return 0
}

function failed(what: string, output: string): number {
  console.error(`${what}:\n${output}`)
  return 1
}

process.exitCode = await main()
