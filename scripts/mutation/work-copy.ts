import { execFile } from 'node:child_process'
import { cp, mkdir, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { root } from '../run-command.ts'

/**
 * Copies the repository as it stands, uncommitted changes included, so that mutants never touch the tree that
 * you work in. `node_modules` is shared by a link.
 */
export async function copyTree(folder: string): Promise<void> {
  const { stdout } = await promisify(execFile)(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    { cwd: root, maxBuffer: 2 ** 26 },
  )
  const files = stdout.split('\0').filter((file) => file !== '')
  for (const parent of new Set(files.map((file) => dirname(file)))) {
    await mkdir(join(folder, parent), { recursive: true })
  }
  // A file that was deleted and not committed is listed, too.
  const copies = files.map((file) => cp(join(root, file), join(folder, file)).catch(skipMissing))
  await Promise.all(copies)
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
}

function skipMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}
