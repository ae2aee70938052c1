import connectPgSimple from 'connect-pg-simple'
import session from 'express-session'
import pg from 'pg'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

/** A database with the table of connect-pg-simple, and the real store on it. */
export interface OldApplication {
  readonly database: TestDatabase
  readonly pool: pg.Pool
  readonly store: session.Store
  /** Saves a session as express-session does. */
  save(sid: string, data: object, maxAge?: number | null): Promise<void>
  /** Puts a row in as it is. */
  insert(sid: string, json: string, expire?: string): Promise<void>
  /** The sids that are in the old table. */
  sids(): Promise<string[]>
  /** Waits until some statement waits for a lock. */
  waitForLock(): Promise<void>
  dispose(): Promise<void>
}

const DAY = 86_400_000

/** Makes an empty old table in a fresh database. */
export async function openOldApplication(): Promise<OldApplication> {
  const database = await createTestDatabase()
  const pool = new pg.Pool({ connectionString: database.url, max: 5 })
  pool.on('error', () => {})
  const Store = connectPgSimple(session)
  const store = new Store({ pool, createTableIfMissing: true, pruneSessionInterval: false })
  await asked((done) => store.get('nobody', done))
  return {
    database,
    pool,
    store,
    save: (sid, data, maxAge = DAY) => {
      const cookie = { originalMaxAge: maxAge, expires: expiry(maxAge), httpOnly: true, path: '/' }
      const saved = { cookie: { ...cookie, maxAge }, ...data }
      return asked((done) => store.set(sid, saved as unknown as session.SessionData, done))
    },
    insert: async (sid, json, expire = "now() + interval '1 day'") => {
      const insert = `insert into session (sid, sess, expire) values ($1, $2, ${expire})`
      await pool.query(insert, [sid, json])
    },
    sids: async () => {
      const { rows } = await pool.query('select sid from session order by sid')
      return rows.map(({ sid }) => sid)
    },
    waitForLock: () => waitForLock(database),
    dispose: async () => {
      await pool.end()
      await database.drop()
    },
  }
}

function expiry(maxAge: number | null): Date | null {
  return maxAge === null ? null : new Date(Date.now() + maxAge)
}

function asked(ask: (done: (error?: unknown) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    ask((error) => (error ? reject(error) : resolve()))
  })
}

async function waitForLock(database: TestDatabase): Promise<void> {
  for (;;) {
    const waiting = await database.query(
      "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    )
    if (waiting.length > 0) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
