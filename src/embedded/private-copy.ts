import { createHash, randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import {
  chmod,
  copyFile,
  link,
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
 * complete, so any number of processes may ask for it at once. One that has lost files is left as
 * it is, since a server may run from it, and the next name is tried.
 *
 * @throws {EmbeddedPostgresError} Something of its name exists that other users can change.
 */
export async function privateCopy(
  folder: string,
  account: Account | undefined,
  onProgress: (message: string) => void,
): Promise<string> {
  const name = join(await temporaryFolder(account), await nameOfCopy(folder))
  for (let number = 1; ; number += 1) {
    const copy = `${name}-${number}`
    if (!(await isOurs(copy))) {
      onProgress("Copying PostgreSQL's programs to where the server may run them")
      await makeCopy(folder, copy)
    }
    if (await hasAllFiles(copy, folder)) return copy
  }
}

async function makeCopy(folder: string, copy: string): Promise<void> {
  const draft = `${copy}-${randomUUID()}`
  try {
    await copyReadable(folder, draft)
    await rename(draft, copy)
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    // Another process was faster; its copy is as good.
    if (!(await isOurs(copy))) throw error
  }
}

async function nameOfCopy(folder: string): Promise<string> {
  const release =
    (await readFile(join(folder, '..', 'package.json'), 'utf8').catch(() => undefined)) ??
    (await realpath(folder))
  const key = createHash('sha256').update(release).digest('hex').slice(0, 12)
  return `pg-sessions-binaries-${key}-${process.getuid?.()}`
}

async function isOurs(copy: string): Promise<boolean> {
  const there = await lstat(copy).catch(() => undefined)
  if (there === undefined) return false
  if (there.isDirectory() && there.uid === process.getuid?.() && (there.mode & 0o022) === 0) {
    return true
  }
  throw new EmbeddedPostgresError(
    `${copy} should be a private copy of PostgreSQL's programs, but other users can change it. Remove it, or set TMPDIR to a folder of your own.`,
  )
}

/** Systems that clean temporary folders delete single files that were not read for a while. */
async function hasAllFiles(copy: string, original: string): Promise<boolean> {
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
      await copyReadableFile(source, target)
    }
  }
}

/** Links where that gives everyone what they need, since there are many files and they are large. */
async function copyReadableFile(source: string, target: string): Promise<void> {
  const { mode, uid } = await lstat(source)
  const wanted = mode & 0o100 ? 0o755 : 0o644
  if ((mode & 0o777) === wanted && uid === process.getuid?.()) {
    const linked = await link(source, target).then(
      () => true,
      () => false,
    )
    if (linked) return
  }
  await copyFile(source, target, constants.COPYFILE_FICLONE)
  await chmod(target, wanted)
}
