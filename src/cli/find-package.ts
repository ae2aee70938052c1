import { createRequire } from 'node:module'
import { join } from 'node:path'

/**
 * Loads a package that a command needs and the library does not; undefined if it is not installed.
 *
 * The project's own first: under a strict package manager it is not visible from here.
 */
export function findPackage(name: string): unknown {
  for (const from of [join(process.cwd(), 'package.json'), import.meta.url]) {
    try {
      return createRequire(from)(name)
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }
  return undefined
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND'
}
