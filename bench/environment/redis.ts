import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from 'redis'
import { canReadOthers } from '../measure/process-cpu.ts'

/**
 * Two Redis servers: one with its defaults and snapshots off, the fastest that Redis is and the least durable; and one
 * that writes each change to disk before it answers, as PostgreSQL does by default.
 */
export interface RedisServer {
  readonly url: string
  readonly durableUrl: string
  readonly version: string
  /** Of both; null where the CPU of other processes cannot be read. */
  readonly pids: readonly number[] | null
  /** How many commands they have carried out. */
  commands(): Promise<number>
  stop(): Promise<void>
}

/** Starts the `redis-server` of the search path; null where there is none. */
export async function openRedis(): Promise<RedisServer | null> {
  const volatile = await startServer(['--save', ''])
  if (volatile === null) return null
  const durable = await startServer([
    '--save',
    '',
    '--appendonly',
    'yes',
    '--appendfsync',
    'always',
  ])
  const both = durable === null ? [volatile] : [volatile, durable]
  return {
    url: volatile.url,
    durableUrl: (durable ?? volatile).url,
    version: await volatile.read('redis_version'),
    pids: canReadOthers ? both.map(({ pid }) => pid) : null,
    async commands() {
      const counts = await Promise.all(both.map(({ read }) => read('total_commands_processed')))
      return counts.reduce((sum, count) => sum + Number(count), 0)
    },
    async stop() {
      await Promise.all(both.map((server) => server.stop()))
    },
  }
}

interface StartedServer {
  readonly url: string
  readonly pid: number
  /** Reads a line of what the server says of itself. */
  read(name: string): Promise<string>
  stop(): Promise<void>
}

async function startServer(settings: readonly string[]): Promise<StartedServer | null> {
  const folder = await mkdtemp(join(tmpdir(), 'pg-sessions-bench-redis-'))
  const port = await freePort()
  const place = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder]
  const child = spawn('redis-server', [...place, ...settings], { stdio: 'ignore' })
  if (!(await hasStarted(child))) {
    await rm(folder, { recursive: true, force: true })
    return null
  }
  const url = `redis://127.0.0.1:${port}`
  const client = createClient({ url })
  client.on('error', () => {})
  await client.connect()
  return {
    url,
    pid: child.pid as number,
    read: async (name) =>
      new RegExp(`^${name}:(.*)$`, 'm').exec(await client.info())?.[1]?.trim() ?? 'unknown',
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
