import type { Pool } from 'pg'
import type { Session, Sessions } from 'pg-sessions'
import type { ShopData } from './shop.ts'
import { SCHEMA } from './under-the-hood/stored-session.ts'

/** A place where the user is signed in. */
export interface Device {
  /** The session's public id. You may show it: it grants no access. */
  readonly id: string
  readonly browser: string
  readonly isThisOne: boolean
  readonly createdAt: Date
  readonly lastAccessAt: Date
}

/** The devices of the signed-in user, this one first. */
export async function listDevices(
  sessions: Sessions<ShopData>,
  session: Session<ShopData>,
  pool: Pool,
): Promise<Device[]> {
  if (session.userId === null) return []
  const all = await sessions.listByUser(session.userId)
  const browsers = await readBrowsers(
    pool,
    all.map(({ id }) => id),
  )
  return all
    .map(({ id, createdAt, lastAccessAt }) => ({
      id,
      browser: browsers.get(id) ?? 'Some browser',
      isThisOne: id === session.id,
      createdAt,
      lastAccessAt,
    }))
    .sort((a, b) => Number(b.isThisOne) - Number(a.isThisOne))
}

/**
 * What other sessions hold is theirs, so there is no call for it; the view shows it under the JSON
 * codec. A larger application would keep what it knows of devices in a table of its own.
 */
async function readBrowsers(pool: Pool, ids: readonly string[]): Promise<Map<string, string>> {
  const { rows } = await pool.query<{ session_id: string; value: string }>(
    `select session_id, value from ${SCHEMA}.session_entry
     where session_id = any($1) and key = 'browser'`,
    [ids],
  )
  return new Map(rows.map(({ session_id, value }) => [session_id, JSON.parse(value) as string]))
}
