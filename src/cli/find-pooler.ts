import type { Pool, PoolClient } from 'pg'
import { within } from '../drivers/waiting/deadline.ts'
import type { Finding } from '../postgres/doctor/finding.ts'

/** What stands between this machine and the server. */
export interface Pooler {
  /** Whether it lends a connection for one transaction at a time. */
  readonly isTransactional: boolean
  /** Whether it prepares a client's statements on each connection, under names of its own. */
  readonly isTracking: boolean
}

const NAME = 'pg_sessions_doctor'

/**
 * Looks for a pooler; null if there is none. The pooler gives a client a process id of its own making, which is
 * that of no backend.
 *
 * @param timeout - Milliseconds. What has not answered by then is told by other findings.
 */
export async function findPooler(pool: Pool, timeout: number): Promise<Pooler | null> {
  const clients: PoolClient[] = []
  try {
    return await within(timeout, 'read', look(pool, clients))
  } catch {
    return null
  } finally {
    // They are not used again: a pooler may hold a statement or a transaction of theirs.
    for (const client of clients) client.release(true)
  }
}

async function look(pool: Pool, clients: PoolClient[]): Promise<Pooler | null> {
  const first = await pool.connect()
  clients.push(first)
  const shown: unknown = Reflect.get(first, 'processID')
  const backend = await backendOf(first)
  if (shown === backend) return null
  const second = await pool.connect()
  clients.push(second)
  // In session mode each client keeps its backend, and none has that of another.
  const isTransactional =
    (await backendOf(second)) === backend || (await backendOf(first)) !== backend
  return { isTransactional, isTracking: await isTracking(first) }
}

async function backendOf(client: PoolClient): Promise<unknown> {
  const { rows } = await client.query('select pg_backend_pid() as pid')
  return rows[0]?.pid
}

async function isTracking(client: PoolClient): Promise<boolean> {
  await client.query('begin')
  await client.query({ name: NAME, text: 'select 1' })
  const { rows } = await client.query(
    `select from pg_prepared_statements where name = '${NAME}' and not from_sql`,
  )
  if (rows.length > 0) await client.query(`deallocate ${NAME}`)
  await client.query('commit')
  return rows.length === 0
}

/** What a pooler means for sessions. */
export function poolerFindings(pooler: Pooler | null): readonly Finding[] {
  if (pooler === null || !pooler.isTransactional) return []
  if (pooler.isTracking) {
    return [
      {
        code: 'pooler',
        severity: 'note',
        what: 'A pooler in transaction mode is between this machine and PostgreSQL. It tracks prepared statements.',
        effect:
          'It passes no notifications on, so sessions.watch hears of a session that another process ends only when it next asks.',
        remedy:
          'Give sessions.watch a driver that connects directly, if your users hold sockets open.',
      },
    ]
  }
  return [
    {
      code: 'pooler-without-statements',
      severity: 'warning',
      what: 'A pooler in transaction mode is between this machine and PostgreSQL. It does not track prepared statements.',
      effect:
        'With prepared statements, requests fail or take longer as soon as two clients share a connection. It passes no notifications on either.',
      remedy:
        'Write fromPg(pool, { prepare: false }), or set max_prepared_statements of PgBouncer 1.21 or newer above 0.',
    },
  ]
}
