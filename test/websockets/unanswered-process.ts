/** Watches a session of a database that never answers, closes, and should then end by itself. */
import pg from 'pg'
import { createSessions } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL ?? '' })
const driver = { ...fromPg(pool), query: async () => [] }
const sessions = createSessions({ database: driver, migrate: 'off', log: false })
sessions.watch('01a20990-9025-7784-a59e-7c8c022d1e9a', () => {})
// Until something is sent on its stdin: it is connected by then.
for await (const _ of process.stdin) break
if (process.env.CLOSE === 'yes') await sessions.close()
await pool.end()
