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

/** How a command is run. */
export interface CommandOptions {
  /** Where. Default: the repository. */
  readonly cwd?: string
  /** Folders whose programs come before those of the repository's `node_modules`. */
  readonly path?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
}

/** Runs a command of this repository's `node_modules` and collects what it writes. */
export async function runCommand(
  command: string,
  args: readonly string[],
  { cwd = root, path = [], environment = {} }: CommandOptions = {},
): Promise<CommandResult> {
  const folders = [...path, join(root, 'node_modules', '.bin'), process.env.PATH]
  const child = spawn(command, args, {
    cwd,
    env: {
      ...process.env,
      PATH: folders.join(delimiter),
      NO_COLOR: '1',
      FORCE_COLOR: '0',
      ...environment,
    },
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
