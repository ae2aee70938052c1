import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from 'redis'
import { canReadOthers } from '../measure/process-cpu.ts'

/** A Redis server with its defaults, snapshots off: the fastest that Redis is, and the least durable. */
export interface RedisServer {
  readonly url: string
  readonly version: string
  readonly pid: number | null
  /** How many commands it has carried out. */
  commands(): Promise<number>
  stop(): Promise<void>
}

/** Starts the `redis-server` of the search path; null where there is none. */
export async function openRedis(): Promise<RedisServer | null> {
  const folder = await mkdtemp(join(tmpdir(), 'pg-sessions-bench-redis-'))
  const port = await freePort()
  const child = spawn(
    'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder],
    { stdio: 'ignore' },
  )
  if (!(await hasStarted(child))) {
    await rm(folder, { recursive: true, force: true })
    return null
  }
  const url = `redis://127.0.0.1:${port}`
  const client = createClient({ url })
  client.on('error', () => {})
  await client.connect()
  const info = async (name: string): Promise<string> =>
    new RegExp(`^${name}:(.*)$`, 'm').exec(await client.info())?.[1]?.trim() ?? 'unknown'
  return {
    url,
    version: await info('redis_version'),
    pid: canReadOthers ? (child.pid ?? null) : null,
    commands: async () => Number(await info('total_commands_processed')),
    async stop() {
      client.destroy()
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function hasStarted(child: ChildProcess): Promise<boolean> {
  try {
    await once(child, 'spawn')
    return true
  } catch {
    return false
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}
