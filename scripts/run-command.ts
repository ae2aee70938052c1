import { spawn } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the repository. */
export const root: string = fileURLToPath(new URL('..', import.meta.url))

/** How a command ended. */
export interface CommandResult {
  readonly ok: boolean
  /** What it wrote to stdout and stderr, in the order of arrival. */
  readonly output: string
}

/** Runs a command of this repository's `node_modules` and collects what it writes. */
export async function runCommand(
  command: string,
  args: readonly string[],
  cwd: string = root,
): Promise<CommandResult> {
  const path = [join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter)
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, PATH: path, NO_COLOR: '1', FORCE_COLOR: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
  return new Promise((resolve) => {
    const end = (ok: boolean, more = ''): void => {
      resolve({ ok, output: `${Buffer.concat(chunks).toString()}${more}`.trim() })
    }
    child.on('error', (error) => end(false, `${command}: ${error.message}`))
    child.on('close', (code) => end(code === 0))
  })
}
