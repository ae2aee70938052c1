import { cp, mkdir, readFile, symlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { root, runCommand } from './run-command.ts'

/** What `package.json` says, as far as the scripts ask. */
export interface Manifest {
  readonly name: string
  readonly version: string
  readonly exports: Readonly<Record<string, unknown>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
}

/** Reads the manifest of this package. */
export async function readManifest(): Promise<Manifest> {
  return JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
}

/** The package as its users get it. */
export interface PackedPackage {
  readonly tarball: string
  /** The unpacked tarball. */
  readonly folder: string
}

/** A step of packing that failed. Its message ends with what the step wrote. */
export class PackingError extends Error {}

/**
 * Builds and packs the package as npm would publish it, and unpacks it, all below `into`.
 *
 * It works on a copy of the source, so that `dist` can be used meanwhile.
 */
export async function packPackage(into: string): Promise<PackedPackage> {
  const source = join(into, 'source')
  await cp(root, source, { recursive: true, filter: isSource })
  await symlink(join(root, 'node_modules'), join(source, 'node_modules'))
  await step(source, 'npm', ['run', '--silent', 'build'])
  // Without its scripts, since `prepack` would build once more.
  await step(source, 'npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', into])
  const { name, version } = await readManifest()
  const tarball = join(into, `${name}-${version}.tgz`)
  await step(into, 'tar', ['-xzf', tarball, '-C', into])
  return { tarball, folder: join(into, 'package') }
}

/**
 * Installs a packed package in a user's folder, and links its dependencies and what else the user
 * has. Nothing else of this repository can be imported from there.
 */
export async function installPackage(
  packed: PackedPackage,
  folder: string,
  others: readonly string[] = [],
): Promise<void> {
  const { name, dependencies } = await readManifest()
  const modules = join(folder, 'node_modules')
  await cp(packed.folder, join(modules, name), { recursive: true })
  for (const other of [...Object.keys(dependencies), ...others]) {
    const link = join(modules, other)
    await mkdir(dirname(link), { recursive: true })
    await symlink(join(root, 'node_modules', other), link)
  }
}

/** Leaves out what is built or installed, and the packages that stand for themselves. */
function isSource(path: string): boolean {
  const name = basename(path)
  if (name === 'node_modules') return false
  const apart = /^(\.|(dist|coverage|bench|examples|runtimes)$)/
  return join(root, name) !== path || !apart.test(name)
}

async function step(cwd: string, command: string, args: readonly string[]): Promise<void> {
  const { ok, output } = await runCommand(command, args, { cwd })
  if (!ok) throw new PackingError(`${[command, ...args].join(' ')} failed:\n${output}`)
}
