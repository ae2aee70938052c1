import { cp, mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Packed, readManifest } from './pack-package.ts'
import { type CommandResult, root, runCommand } from './run-command.ts'

/** Subpaths that name a framework's types, which their users have installed. */
const frameworkTypes: Readonly<Record<string, readonly string[]>> = {
  './express': ['@types/express'],
}

const compilerOptions = {
  target: 'es2022',
  lib: ['es2022'],
  module: 'nodenext',
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  noEmit: true,
}

/**
 * Compiles the published declarations as a careful user would: with `skipLibCheck` off, and with no
 * types around but Node's and, for a framework's adapter, that framework's.
 */
export async function checkDeclarations(packed: Packed, into: string): Promise<CommandResult> {
  const { exports, dependencies } = await readManifest()
  const subpaths = Object.keys(exports).filter((subpath) => subpath !== './package.json')
  const plain = subpaths.filter((subpath) => frameworkTypes[subpath] === undefined)
  const consumers = [{ name: 'plain', subpaths: plain, types: [] as readonly string[] }]
  for (const [subpath, types] of Object.entries(frameworkTypes)) {
    consumers.push({ name: subpath.replace('./', ''), subpaths: [subpath], types })
  }
  const results: CommandResult[] = []
  for (const { name, subpaths, types } of consumers) {
    const folder = join(into, `consumer-${name}`)
    const installed = ['@types/node', ...Object.keys(dependencies), ...types]
    await install(folder, packed, installed)
    await writeConsumer(folder, subpaths)
    results.push(await runCommand('tsc', ['-p', folder]))
  }
  return {
    ok: results.every(({ ok }) => ok),
    output: results.flatMap(({ output }) => (output === '' ? [] : [output])).join('\n'),
  }
}

/** Installs the packed package, and links what else its user has from this repository. */
export async function install(
  folder: string,
  packed: Packed,
  others: readonly string[],
): Promise<void> {
  const modules = join(folder, 'node_modules')
  await mkdir(modules, { recursive: true })
  await cp(packed.folder, join(modules, 'pg-sessions'), { recursive: true })
  for (const name of others) {
    await mkdir(dirname(join(modules, name)), { recursive: true })
    await symlink(join(root, 'node_modules', name), join(modules, name))
  }
}

async function writeConsumer(folder: string, subpaths: readonly string[]): Promise<void> {
  const lines = subpaths.map(
    (subpath, index) => `export * as subpath${index} from 'pg-sessions${subpath.slice(1)}'\n`,
  )
  await writeFile(join(folder, 'consumer.ts'), lines.join(''))
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  const config = { compilerOptions, files: ['consumer.ts'] }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
}
