import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(import.meta.resolve('pg-sessions/package.json')).replace(
  /package\.json$/,
  'dist/cli/main.js',
)

/** What a command has printed, and how it ended. */
export interface Run {
  readonly status: number | null
  readonly output: string
}

/** Runs `pg-sessions`. */
export function pgSessions(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  return finish(start(args, options))
}

interface RunOptions {
  readonly redisUrl?: string
  /** Where the packages are that it finds. */
  readonly cwd?: string
}

export function start(args: readonly string[], { redisUrl = '', cwd }: RunOptions): ChildProcess {
  return spawn(process.execPath, [program, ...args], {
    cwd: cwd ?? fileURLToPath(new URL('..', import.meta.url)),
    env: { ...process.env, REDIS_URL: redisUrl },
  })
}

export async function finish(child: ChildProcess): Promise<Run> {
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const [status] = await once(child, 'close')
  return { status, output }
}
