import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { delimiter } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { CommandOptions } from './run-command.ts'

/** An application that a line of a page has started. */
export interface StarterServer {
  readonly origin: string
  /** What it has written. */
  output(): string
  /** What it has written since it answers: before, a server may complain that it is not ready. */
  outputSinceReady(): string
  stop(): Promise<void>
}

/** How long a development server may take to answer for the first time. */
const PATIENCE = 120_000

/** Starts an application on a free port, and waits until it answers. */
export async function startServer(
  line: string,
  portFlag: string | undefined,
  { cwd, path = [], environment }: CommandOptions,
): Promise<StarterServer> {
  const port = await freePort()
  const here = line.replace('localhost:3000', `localhost:${port}`)
  const child = spawn('sh', ['-c', portFlag === undefined ? here : `${here} ${portFlag} ${port}`], {
    cwd,
    env: surroundings({
      ...environment,
      PATH: [...path, process.env.PATH].join(delimiter),
      PORT: String(port),
    }),
    stdio: ['ignore', 'pipe', 'pipe'],
    // The shell, npm and the application are one group, and are stopped together.
    detached: true,
  })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
  const output = (): string => Buffer.concat(chunks).toString()
  const origin = `http://localhost:${port}`
  const start = performance.now()
  while (!(await answers(origin))) {
    if (child.exitCode !== null || performance.now() - start > PATIENCE) {
      await stop(child)
      throw new Error(`It does not answer:\n${output()}`)
    }
    await setTimeout(200)
  }
  const ready = output().length
  return {
    origin,
    output,
    outputSinceReady: () => output().slice(ready),
    stop: () => stop(child),
  }
}

/** As a user's shell has it: the mode comes from the framework and from the page, not from here. */
function surroundings(more: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const { NODE_ENV: _mode, DATABASE_URL: _database, ...rest } = process.env
  return { ...rest, NO_COLOR: '1', ...more }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined) return
  const closed = child.exitCode === null ? once(child, 'close') : Promise.resolve()
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // The group has ended.
  }
  await closed
}

function answers(origin: string): Promise<boolean> {
  return fetch(origin, { signal: AbortSignal.timeout(60_000) }).then(
    async (answer) => {
      await answer.body?.cancel()
      // Vite answers 503 until what renders is there.
      return answer.status !== 503
    },
    () => false,
  )
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, 'localhost')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('The system gives no port.')
  return address.port
}
