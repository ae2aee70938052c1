import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

export interface Outcome {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

const loader = import.meta.resolve('tsx')
const repository = fileURLToPath(new URL('../..', import.meta.url))

interface CliOptions {
  readonly databaseUrl?: string
  /** Variables beside those of this process, of which none names a database. */
  readonly environment?: Readonly<Record<string, string>>
  readonly root?: string
}

/** Starts the program in a process of its own, as a user would. */
export function startCli(
  args: readonly string[],
  { databaseUrl, environment = {}, root = repository }: CliOptions = {},
): ChildProcessByStdio<null, Readable, Readable> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(DATABASE_URL|PG[A-Z]+)$/.test(name)),
  )
  return spawn(process.execPath, ['--import', loader, `${root}/src/cli/main.ts`, ...args], {
    cwd: root,
    env: {
      ...env,
      ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Runs it to its end. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<Outcome> {
  const child = startCli(args, options)
  const [[status], stdout, stderr] = await Promise.all([
    once(child, 'exit'),
    text(child.stdout),
    text(child.stderr),
  ])
  return { status, stdout, stderr }
}
