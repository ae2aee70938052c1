import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

export interface Outcome {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

const loader = import.meta.resolve('tsx')
const repository = fileURLToPath(new URL('../..', import.meta.url))

/** Runs the program in a process of its own, as a user would. */
export async function runCli(
  args: readonly string[],
  options: { readonly databaseUrl?: string; readonly root?: string } = {},
): Promise<Outcome> {
  const { databaseUrl, root = repository } = options
  const { DATABASE_URL: _, ...env } = process.env
  const child = spawn(process.execPath, ['--import', loader, `${root}/src/cli/main.ts`, ...args], {
    cwd: root,
    env: { ...env, ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [[status], stdout, stderr] = await Promise.all([
    once(child, 'exit'),
    text(child.stdout),
    text(child.stderr),
  ])
  return { status, stdout, stderr }
}
