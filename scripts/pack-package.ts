import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type CommandResult, root, runCommand } from './run-command.ts'

/** What `package.json` says, as far as the scripts ask. */
export interface Manifest {
  readonly version: string
  readonly exports: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
}

/** Reads the manifest of this package. */
export async function readManifest(): Promise<Manifest> {
  return JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
}

/** The package as users would get it. */
export interface Packed {
  readonly tarball: string
  /** The unpacked tarball. */
  readonly folder: string
}

/** A step that failed, with what it wrote. */
export class StepFailed extends Error {
  readonly output: string

  constructor(step: string, result: CommandResult) {
    super(`${step} failed:\n${result.output}`)
    this.output = result.output
  }
}

/** Builds `dist`, packs it as npm would publish it, and unpacks it, all below `into`. */
export async function packPackage(into: string): Promise<Packed> {
  await step('npm run build', 'npm', ['run', '--silent', 'build'])
  // Without its scripts, since `prepack` would build once more.
  await step('npm pack', 'npm', [
    'pack',
    '--silent',
    '--ignore-scripts',
    '--pack-destination',
    into,
  ])
  const { version } = await readManifest()
  const tarball = join(into, `pg-sessions-${version}.tgz`)
  await mkdir(into, { recursive: true })
  await step('tar', 'tar', ['-xzf', tarball, '-C', into])
  return { tarball, folder: join(into, 'package') }
}

async function step(name: string, command: string, args: readonly string[]): Promise<void> {
  const result = await runCommand(command, args)
  if (!result.ok) throw new StepFailed(name, result)
}
