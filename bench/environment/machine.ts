import { readFileSync } from 'node:fs'
import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os'

/** On what the figures were made, so that a reader can judge them. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly system: string
  readonly node: string
  /** Processes that wanted a core, averaged over the minute before the run and the one at its end. */
  readonly loadAtStart: number
  readonly loadAtEnd: number
}

export function describeMachine(loadAtStart: number): Machine {
  const [first] = cpus()
  return {
    cpu: first?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release().split('-')[0]} ${arch()}`,
    node: process.version,
    loadAtStart,
    loadAtEnd: currentLoad(),
  }
}

export function currentLoad(): number {
  return Math.round((loadavg()[0] ?? 0) * 10) / 10
}

/** The versions of what is compared, as they are installed. */
export function peerVersions(): Record<string, string> {
  const versions: Record<string, string> = {}
  const { dependencies } = readJson(new URL('../package.json', import.meta.url)) as {
    readonly dependencies: Readonly<Record<string, string>>
  }
  for (const name of PEERS) versions[name] = (dependencies[name] ?? '').replace('npm:redis@', '')
  return versions
}

const PEERS = [
  'autocannon',
  'connect-pg-simple',
  'connect-redis',
  'express',
  'express-session',
  'fastify',
  '@fastify/session',
  'pg',
  'redis',
  'redis-5',
] as const

function readJson(file: URL): unknown {
  return JSON.parse(readFileSync(file, 'utf8'))
}
