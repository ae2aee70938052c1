import { stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { type CommandResult, root, runCommand } from './run-command.ts'

/**
 * Installs what a folder's lockfile says, unless that was done since it last changed. For packages that
 * only one suite needs, and that `npm ci` at the root therefore leaves out.
 *
 * Scripts of the packages do not run.
 */
export async function installPackages(folder: string): Promise<CommandResult> {
  const changed = (await stat(join(folder, 'package-lock.json'))).mtimeMs
  const marker = join(folder, 'node_modules', '.package-lock.json')
  const installed = await stat(marker).catch(() => null)
  if (installed !== null && installed.mtimeMs >= changed) return { ok: true, output: '' }
  console.log(`Installing the packages of ${relative(root, folder)}`)
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const exact = await runCommand('npm', ['ci', ...options], { cwd: folder })
  // Some releases of npm write no packages for other platforms into the lockfile, and then refuse it.
  const isRefused = !exact.ok && exact.output.includes('EUSAGE')
  return isRefused
    ? runCommand('npm', ['install', '--no-save', ...options], { cwd: folder })
    : exact
}
