import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout } from 'node:timers/promises'

/** An application that has been started by its package script, as users start it. */
export interface RunningExample {
  readonly origin: string
  /** Stops it and starts it once more on the same port. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** Starts the application of the current folder on a free port, and waits until it answers. */
export async function startExample(): Promise<RunningExample> {
  const port = await freePort()
  const origin = `http://localhost:${port}`
  let running = await start(port, origin)
  const stop = async (): Promise<void> => {
    if (running.exitCode !== null || running.pid === undefined) return
    const closed = once(running, 'close')
    process.kill(-running.pid, 'SIGKILL')
    await closed
  }
  return {
    origin,
    stop,
    async restart() {
      await stop()
      running = await start(port, origin)
    },
  }
}

async function start(port: number, origin: string): Promise<ChildProcess> {
  const child = spawn('npm', ['run', '--silent', process.env.EXAMPLE_START ?? 'start'], {
    env: { ...process.env, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
    // The script's shell and the application are one group, and are stopped together.
    detached: true,
  })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
  while (!(await answers(origin))) {
    if (child.exitCode !== null) throw new Error(`It has stopped:\n${Buffer.concat(chunks)}`)
    await setTimeout(100)
  }
  return child
}

function answers(origin: string): Promise<boolean> {
  return fetch(origin).then(
    async (answer) => {
      await answer.body?.cancel()
      return true
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
