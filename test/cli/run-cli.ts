import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { root } from '../../scripts/run-command.ts'
import { bundledProgram } from '../support/bundled-program.ts'

const loader = import.meta.resolve('tsx')

export interface Outcome {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

interface CliOptions {
  readonly databaseUrl?: string
  /** Variables beside those of this process, of which none names a database. */
  readonly environment?: Readonly<Record<string, string>>
  /** A folder that has the program and its dependencies in `node_modules`. Default: this repository. */
  readonly installedIn?: string
  /** Whether a module that it is given imports this package by its name. */
  readonly givenModule?: boolean
}

/** The program in one file. */
export function bundledCli(): Promise<string> {
  return bundledProgram('src/cli/main.ts')
}

/** Where the program stands in a folder that it is installed in. */
export function installedCli(folder: string): string {
  return join(folder, 'node_modules', 'pg-sessions', 'main.mjs')
}

/** Starts the program in a process of its own, as a user would. */
export async function startCli(
  args: readonly string[],
  { databaseUrl, environment = {}, installedIn, givenModule = false }: CliOptions = {},
): Promise<ChildProcessByStdio<null, Readable, Readable>> {
  const program = installedIn === undefined ? await bundledCli() : installedCli(installedIn)
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(DATABASE_URL|PG[A-Z]+)$/.test(name)),
  )
  return spawn(process.execPath, [...(givenModule ? ['--import', loader] : []), program, ...args], {
    cwd: installedIn ?? root,
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
  const child = await startCli(args, options)
  const [[status], stdout, stderr] = await Promise.all([
    once(child, 'exit'),
    text(child.stdout),
    text(child.stderr),
  ])
  return { status, stdout, stderr }
}
