import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { root } from './run-command.ts'

const examples = join(root, 'examples')

/** The earlier versions of its framework that an example is tested with as well: `nestjs-11`. */
export function versionsOf(name: string): string[] {
  const folder = join(examples, name, 'versions')
  return existsSync(folder) ? readdirSync(folder).map((version) => `${name}-${version}`) : []
}

/**
 * Puts an example with an earlier version of its framework into a folder of its own, beside the others so
 * that its paths hold: a copy, over which goes what `versions/<version>` holds, with other packages.
 */
export function laidOut(name: string): string {
  const [, example = '', version = ''] = /^(.+)-(\d+)$/.exec(name) ?? []
  const source = join(examples, example)
  const versions = join(source, 'versions', version)
  if (example === '' || !existsSync(versions)) return join(examples, name)
  const folder = join(examples, name)
  mkdirSync(folder, { recursive: true })
  for (const name of readdirSync(folder)) {
    if (name !== 'node_modules') rmSync(join(folder, name), { recursive: true })
  }
  // The time of a lockfile tells whether its packages are installed.
  const options = { recursive: true, preserveTimestamps: true }
  cpSync(source, folder, { ...options, filter: isOwn })
  cpSync(versions, folder, options)
  return folder
}

/** Leaves out what is installed or built, and what the version has of its own. */
function isOwn(path: string): boolean {
  const name = basename(path)
  return !/^(\..+|node_modules|build|versions|package-lock\.json)$/.test(name)
}
