import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { installPackages } from '../install-packages.ts'
import { type CommandResult, root, runCommand } from '../run-command.ts'
import { brokenLinks } from './broken-links.ts'
import { linksToSite } from './links-to-site.ts'

const site = join(root, 'site')
const pages = join(site, 'pages')

/** How the site is built. */
export interface SiteBuild {
  /** The folder that the site is written to. */
  readonly into: string
  /**
   * Leaves out what no link or page depends on: the search, the scripts of the browser and the colours of code. It
   * takes a third of the time and notices the same mistakes.
   */
  readonly isTrial: boolean
}

/** Builds the documentation as a site. It fails on a warning, and on a link that leads nowhere. */
export async function buildSite({ into, isTrial }: SiteBuild): Promise<CommandResult> {
  const installed = await installPackages(site)
  if (!installed.ok) return failed('The tools of the site could not be installed', installed.output)
  await writePages()
  const program = join(site, 'node_modules', 'vitepress', 'bin', 'vitepress.js')
  const built = await runCommand(process.execPath, [program, 'build', '.', '--outDir', into], {
    cwd: site,
    environment: isTrial ? { SITE_TRIAL: 'yes' } : {},
  })
  if (!built.ok || /warn|not loaded/i.test(built.output)) {
    return failed('The site could not be built without a warning', built.output)
  }
  const broken = await brokenLinks(into, '/pg-sessions/')
  return broken.length > 0
    ? failed('Links that lead nowhere', broken.join('\n'))
    : { ok: true, output: '' }
}

function failed(what: string, output: string): CommandResult {
  return { ok: false, output: `${what}:\n${output}` }
}

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
