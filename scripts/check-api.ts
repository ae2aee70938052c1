/** The API reference, `docs/api/`: generated from the docstrings, complete, and up to date. */
import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { type CommandResult, root, runCommand } from './run-command.ts'

/** A warning of typedoc about an export itself: `drivers/pg.fromPg (CallSignature), defined in …`. */
const UNDOCUMENTED = /\s([\w/-]+\.\w+ \(\w+\), defined in \S+, does not have any documentation)/g

/** Generates the reference into a temporary folder, and compares it with the one that is committed. */
export async function checkApi(folder: string): Promise<CommandResult> {
  const fresh = join(folder, 'api')
  const { ok, output } = await runCommand('typedoc', ['--out', fresh])
  if (!ok) return { ok, output }
  const faults = [...output.matchAll(UNDOCUMENTED)].map(([, warning]) => warning)
  const [expected, actual] = [await pagesIn(fresh), await pagesIn(join(root, 'docs', 'api'))]
  for (const page of new Set([...expected.keys(), ...actual.keys()])) {
    if (expected.get(page) === actual.get(page)) continue
    faults.push(`docs/api/${page} differs from the docstrings. Run npm run docs:api.`)
  }
  return { ok: faults.length === 0, output: faults.join('\n') }
}

async function pagesIn(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const files = entries.filter((entry) => entry.isFile())
  const paths = files.map((entry) => join(entry.parentPath, entry.name))
  const read = paths.map(async (path): Promise<[string, string]> => {
    return [relative(folder, path), await readFile(path, 'utf8')]
  })
  return new Map(await Promise.all(read))
}
