import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { createClient } from 'redis'

/** A Redis of a test's own, in memory. */
export interface RedisServer {
  readonly url: string
  /** Runs one command. */
  send(...command: string[]): Promise<unknown>
  stop(): Promise<void>
}

/** Whether redis-server is installed. */
export function isInstalled(): boolean {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Starts redis-server on a free port, with a password. */
export async function startRedis(): Promise<RedisServer> {
  const port = await freePort()
  const options = ['--save', '', '--appendonly', 'no', '--requirepass', 'secret']
  const server = spawn(
    'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', ...options],
    {
      stdio: 'ignore',
    },
  )
  const url = `redis://:secret@127.0.0.1:${port}`
  const client = createClient({ url, socket: { reconnectStrategy: () => 50 } })
  client.on('error', () => {})
  await client.connect()
  return {
    url,
    send: (...command) => client.sendCommand(command),
    async stop() {
      client.destroy()
      await ended(server)
    },
  }
}

async function ended(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null) return
  const exit = once(server, 'exit')
  server.kill()
  await exit
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
