import { createHash } from 'node:crypto'
import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import { root } from '../../scripts/run-command.ts'

const bundles = new Map<string, Promise<string>>()

/**
 * Bundles a TypeScript program of this repository into one file and returns its path. A test that starts a process spends
 * a tenth of a second on loading it, where a loader that compiles each module would spend a whole one.
 */
export function bundledProgram(entry: string): Promise<string> {
  const bundle = bundles.get(entry) ?? bundleProgram(entry)
  bundles.set(entry, bundle)
  return bundle
}

async function bundleProgram(entry: string): Promise<string> {
  // Two levels below the root, like src/cli/main.ts: the program finds package.json and the dependencies from there.
  const folder = join(root, 'node_modules', '.test-programs')
  await mkdir(folder, { recursive: true })
  const name = createHash('sha256').update(entry).digest('hex').slice(0, 16)
  const written = join(folder, `${name}-${process.pid}.mjs`)
  const { warnings } = await build({
    entryPoints: [join(root, entry)],
    outfile: written,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: 'external',
    logLevel: 'silent',
  })
  if (warnings.length > 0) throw new Error(warnings.map(({ text }) => text).join('\n'))
  // Other workers of the same run read the file under its final name only.
  const file = join(folder, `${name}.mjs`)
  await rename(written, file)
  return file
}
