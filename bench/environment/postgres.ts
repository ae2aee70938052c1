import { readFileSync } from 'node:fs'
import { Client } from 'pg'
import { startEmbeddedPostgres } from 'pg-sessions/embedded-postgres'
import { canReadOthers } from '../measure/process-cpu.ts'

/** The PostgreSQL server that all contenders use. */
export interface PostgresServer {
  readonly url: string
  readonly version: string
  /** Settings that matter to the figures, as the server tells them. */
  readonly settings: Readonly<Record<string, string>>
  /** The root of its process tree; null when it runs elsewhere and its CPU cannot be read. */
  readonly pid: number | null
  /** A connection of the benchmark's own, for what is not measured. */
  readonly admin: Client
  stop(): Promise<void>
}

/**
 * Durable, as PostgreSQL is by default, although the data is temporary: a store that is only fast
 * without a disk is of no use. More memory and fewer checkpoints than by default, as on any server.
 */
const SETTINGS = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  shared_buffers: '1GB',
  max_wal_size: '8GB',
  checkpoint_timeout: '30min',
  max_connections: '200',
}

/** Connects to the server that `DATABASE_URL` names, or starts one. */
export async function openPostgres(
  databaseUrl: string | undefined,
  onProgress: (message: string) => void,
): Promise<PostgresServer> {
  const embedded =
    databaseUrl === undefined
      ? await startEmbeddedPostgres({ settings: SETTINGS, onProgress })
      : undefined
  const url = embedded?.url ?? (databaseUrl as string)
  const admin = new Client({ connectionString: url })
  await admin.connect()
  const { rows } = await admin.query<{ name: string; setting: string }>(
    `select name, current_setting(name) as setting from pg_settings where name = any ($1) order by name`,
    [['server_version', ...Object.keys(SETTINGS)]],
  )
  const { server_version: version = 'unknown', ...settings } = Object.fromEntries(
    rows.map(({ name, setting }) => [name, setting]),
  )
  return {
    url,
    version,
    settings,
    pid: canReadOthers ? (embedded?.pid ?? (await localServer(admin))) : null,
    admin,
    async stop() {
      await admin.end()
      await embedded?.stop()
    },
  }
}

/** The parent of our own backend, if both run on this machine. */
async function localServer(admin: Client): Promise<number | null> {
  const { rows } = await admin.query<{ pid: number }>('select pg_backend_pid() as pid')
  try {
    const status = readFileSync(`/proc/${rows[0]?.pid}/status`, 'utf8')
    const parent = Number(/^PPid:\s*(\d+)/m.exec(status)?.[1])
    return /^Name:\s*postgres/m.test(status) && parent > 1 ? parent : null
  } catch {
    return null
  }
}
