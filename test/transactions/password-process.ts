/** Changes a password and ends the sessions of its user, and never commits. */
import pg from 'pg'
import { createSessions } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL ?? '' })
const sessions = createSessions({ database: fromPg(pool), log: false })
const client = await pool.connect()
await client.query('begin')
await client.query(`update account set password = 'new' where id = 'ann'`)
const ended = await sessions.in(client).destroyByUser('ann')
process.stdout.write(`${ended} ended, not committed`)
