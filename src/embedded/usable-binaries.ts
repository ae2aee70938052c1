import { lstat, readFile, symlink } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { EmbeddedPostgresError } from '../errors.ts'
import { privateCopy } from './private-copy.ts'
import { type Account, runProgram } from './run-program.ts'

/** Server programs that are known to run under the account they were tried with. */
export interface ServerBinaries {
  readonly initdb: string
  readonly postgres: string
  /** As the server tells it: `18.4`. */
  readonly version: string
}

/**
 * Makes the binaries in `folder` run under `account`.
 *
 * npm packages hold no symbolic links, and install scripts that create them may be off. This creates
 * the links that the libraries need. Where the folder cannot be written, or not be entered
 * by the account, a private copy serves.
 *
 * @throws {EmbeddedPostgresError} They do not run; the message holds what the system said.
 */
export async function usableBinaries(
  folder: string,
  account: Account | undefined,
  onProgress: (message: string) => void,
): Promise<ServerBinaries> {
  if (await completeLinks(folder)) {
    const inPlace = await tryOut(folder, account)
    if (typeof inPlace !== 'string') return inPlace
  }
  const copy = await privateCopy(folder, account, onProgress)
  await completeLinks(copy)
  const fromCopy = await tryOut(copy, account)
  if (typeof fromCopy !== 'string') return fromCopy
  const hint = fromCopy.includes('ENOENT') ? ' On Linux they need glibc, not musl.' : ''
  throw new EmbeddedPostgresError(
    `PostgreSQL's programs do not run on this system: ${fromCopy.trim()}.${hint}`,
  )
}

/** Asks the server for its version, which makes it load its libraries; a string says why not. */
async function tryOut(
  folder: string,
  account: Account | undefined,
): Promise<ServerBinaries | string> {
  const postgres = join(folder, 'bin', 'postgres')
  const { status, output } = await runProgram(postgres, ['--version'], account)
  const version = /\(PostgreSQL\) (\S+)/.exec(output)?.[1]
  if (status !== 0 || version === undefined) return output
  return { initdb: join(folder, 'bin', 'initdb'), postgres, version }
}

/** Makes the missing ones of the links that the package lists; `false` where that is not allowed. */
async function completeLinks(folder: string): Promise<boolean> {
  const list = await readFile(join(folder, 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    // The list's paths begin with the folder's name in the package: native/lib/…
    const link = join(folder, relative('native', target))
    if ((await lstat(link).catch(() => undefined)) !== undefined) continue
    try {
      await symlink(relative(dirname(target), source), link)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return false
    }
  }
  return true
}
