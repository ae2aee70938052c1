/**
 * Writes the subpaths of `package.json` (`exports` and `typesVersions`) as `paths` of `tsconfig.json` names
 * them: `npm run subpaths`. That is the one place where a subpath is added.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type CommandResult, root } from './run-command.ts'

/** A subpath of the package, and the module behind it. */
export interface Subpath {
  /** As `exports` has it: `./express`. */
  readonly name: string
  /** Below `src` and `dist`, without an extension: `adapters/express`. */
  readonly module: string
}

const PACKAGE = 'pg-sessions'

/** Reads the public subpaths. */
export async function readSubpaths(): Promise<Subpath[]> {
  const { compilerOptions } = JSON.parse(await readFile(join(root, 'tsconfig.json'), 'utf8'))
  return Object.entries<string[]>(compilerOptions.paths).map(([specifier, [file = '']]) => ({
    name: specifier.replace(PACKAGE, '.'),
    module: file.replace(/^\.\/src\//, '').replace(/\.ts$/, ''),
  }))
}

/** What `package.json` has to say of the subpaths. */
async function manifestOfSubpaths(): Promise<{ exports: object; typesVersions: object }> {
  const subpaths = await readSubpaths()
  const exports = Object.fromEntries([
    ...subpaths.map(({ name, module }) => [name, conditions(module)]),
    ['./package.json', './package.json'],
  ])
  // TypeScript's `moduleResolution: node10` reads no `exports`.
  const beyondRoot = subpaths.filter(({ name }) => name !== '.')
  const types = beyondRoot.map(({ name, module }) => [name.slice(2), [`./dist/cjs/${module}.d.ts`]])
  return { exports, typesVersions: { '*': Object.fromEntries(types) } }
}

function conditions(module: string): object {
  return {
    import: { types: `./dist/${module}.d.ts`, default: `./dist/${module}.js` },
    require: { types: `./dist/cjs/${module}.d.ts`, default: `./dist/cjs/${module}.js` },
  }
}

/** Says whether `package.json` is as `npm run subpaths` would leave it. */
export async function checkSubpaths(): Promise<CommandResult> {
  const ok = (await readFile(manifestFile, 'utf8')) === (await manifestWithSubpaths())
  const advice = 'package.json has other subpaths than tsconfig.json. Run `npm run subpaths`.'
  return { ok, output: ok ? '' : advice }
}

const manifestFile = join(root, 'package.json')

async function manifestWithSubpaths(): Promise<string> {
  const manifest = JSON.parse(await readFile(manifestFile, 'utf8'))
  return `${JSON.stringify({ ...manifest, ...(await manifestOfSubpaths()) }, null, 2)}\n`
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await writeFile(manifestFile, await manifestWithSubpaths())
}
