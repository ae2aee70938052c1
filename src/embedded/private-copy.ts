import { createHash, randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  symlink,
} from 'node:fs/promises'
import { join } from 'node:path'
import { EmbeddedPostgresError } from '../errors.ts'
import type { Account } from './run-program.ts'
import { temporaryFolder } from './unprivileged-account.ts'

/**
 * A copy of `folder` under the temporary folder that everyone may run and only we may change.
 *
 * There is one for each release and user. It is built under another name and renamed when it is
 * complete, so any number of processes may ask for it at once.
 *
 * @throws {EmbeddedPostgresError} Something of its name exists that other users can change.
 */
export async function privateCopy(
  folder: string,
  account: Account | undefined,
  onProgress: (message: string) => void,
): Promise<string> {
  const copy = join(await temporaryFolder(account), await nameOfCopy(folder))
  if (await isIntactCopy(copy, folder)) return copy
  onProgress("Copying PostgreSQL's programs to where the server may run them")
  const draft = `${copy}-${randomUUID()}`
  try {
    await copyReadable(folder, draft)
    await replace(copy, draft)
  } catch (error) {
    // Another process may have been faster.
    if (!(await isIntactCopy(copy, folder))) throw error
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  return copy
}

async function nameOfCopy(folder: string): Promise<string> {
  const release =
    (await readFile(join(folder, '..', 'package.json'), 'utf8').catch(() => undefined)) ??
    (await realpath(folder))
  const key = createHash('sha256').update(release).digest('hex').slice(0, 12)
  return `pg-sessions-binaries-${key}-${process.getuid?.()}`
}

async function isIntactCopy(copy: string, original: string): Promise<boolean> {
  const there = await lstat(copy).catch(() => undefined)
  if (there === undefined) return false
  if (!there.isDirectory() || there.uid !== process.getuid?.() || (there.mode & 0o022) !== 0) {
    throw new EmbeddedPostgresError(
      `${copy} should be a private copy of PostgreSQL's programs, but other users can change it. Remove it, or set TMPDIR to a folder of your own.`,
    )
  }
  // Cleaners of temporary folders take away single files that nobody has read for long.
  const files = new Set(await readdir(copy, { recursive: true }))
  return (await readdir(original, { recursive: true })).every((file) => files.has(file))
}

/** Copies a folder so that everyone can read it, whatever the modes and our umask say. */
async function copyReadable(from: string, to: string): Promise<void> {
  await mkdir(to)
  await chmod(to, 0o755)
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) {
      await copyReadable(source, target)
    } else if (entry.isSymbolicLink()) {
      await symlink(await readlink(source), target)
    } else {
      await copyFile(source, target, constants.COPYFILE_FICLONE)
      await chmod(target, (await lstat(source)).mode & 0o100 ? 0o755 : 0o644)
    }
  }
}

/** Puts the draft in place of what is there, which is nothing or a copy that has lost files. */
async function replace(copy: string, draft: string): Promise<void> {
  const old = `${draft}-old`
  await rename(copy, old).catch(() => {})
  await rename(draft, copy)
  await rm(old, { recursive: true, force: true })
}
