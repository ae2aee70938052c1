import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import pg from 'pg'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'

/** A session as the original's program showed it. */
interface ExpectedSession {
  readonly state: string
  readonly sessionKey: string
  readonly data: readonly (readonly [string, string])[]
}

const folder = new URL('../../interop/', import.meta.url)
const dump = readFileSync(new URL('original-database.sql', folder), 'utf8')

/** What the dump holds, and the key from before the rotation of its second session. */
export const expected: {
  readonly t0: number
  readonly sessions: readonly ExpectedSession[]
} = JSON.parse(readFileSync(new URL('original-database.expected.json', folder), 'utf8'))

/** A database as wai-session-postgresql left it, and its side of the traffic, by its exact statements. */
export interface OriginalService {
  readonly database: TestDatabase
  readonly pool: pg.Pool
  /** Begins a session; its key. */
  begin(entries: Readonly<Record<string, string>>, idleSeconds?: number): Promise<string>
  /** What a request with this key finds; null for a stranger. */
  lookUp(key: string): Promise<string | null>
  /** Writes one entry into the session with this row id. */
  insert(id: string, key: string, value: string): Promise<void>
  keys(): Promise<string[]>
  dispose(): Promise<void>
}

/** Loads what the original wrote, alive again; or, when `isEmpty`, its empty tables. */
export async function openOriginalService(isEmpty = false): Promise<OriginalService> {
  const database = await createTestDatabase()
  const pool = new pg.Pool({ connectionString: database.url, max: 10 })
  pool.on('error', () => {})
  // The dump changes the settings of its connection.
  const loader = new pg.Client({ connectionString: database.url })
  await loader.connect()
  await loader.query(dump)
  await loader.end()
  if (isEmpty) await pool.query('delete from wai_pg_sessions')
  await pool.query(
    'update wai_pg_sessions set session_last_access = session_last_access + extract(epoch from now())::bigint - $1',
    [expected.t0],
  )
  const text = async (sql: string, values: unknown[]): Promise<string | null> =>
    (await pool.query(sql, values)).rows[0]?.id ?? null
  const service: OriginalService = {
    database,
    pool,
    async begin(entries, idleSeconds = 0) {
      const key = randomBytes(24).toString('hex')
      const now = Math.round(Date.now() / 1000) - idleSeconds
      const id = await text(
        'INSERT INTO wai_pg_sessions (session_key,session_created_at,session_last_access) VALUES($1,$2,$2) RETURNING id',
        [key, now],
      )
      for (const [name, value] of Object.entries(entries)) {
        await service.insert(id as string, name, value)
      }
      return key
    },
    lookUp: (key) =>
      text('SELECT id FROM wai_pg_sessions WHERE session_key=$1 AND session_last_access>=$2', [
        key,
        Math.round(Date.now() / 1000) - 3600,
      ]),
    async insert(id, key, value) {
      await pool.query(
        'INSERT INTO wai_pg_session_data (wai_pg_session,key,value) VALUES ($1,$2,$3) ON CONFLICT (wai_pg_session,key) DO UPDATE SET value=EXCLUDED.value',
        [id, haskellString(key), haskellString(value)],
      )
    },
    async keys() {
      const { rows } = await pool.query(
        'select session_key as key from wai_pg_sessions order by id',
      )
      return rows.map(({ key }) => key)
    },
    async dispose() {
      await pool.end()
      await database.drop()
    },
  }
  return service
}

/** Written by hand rather than by our codec, since this is the other side. */
function haskellString(text: string): Buffer {
  const length = Buffer.alloc(8)
  length.writeBigUInt64BE(BigInt([...text].length))
  return Buffer.concat([length, Buffer.from(text)])
}
