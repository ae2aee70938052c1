import { Pool } from 'pg'
import { createSessions } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'

declare module 'pg-sessions' {
  interface SessionData {
    clicks: number
  }
}

const pool = new Pool({ connectionString: process.env.DATABASE_URL })
const development = process.env.NODE_ENV === 'development' // plain http on localhost
export const sessions = createSessions({ database: fromPg(pool), cookie: { development } })
sessions.startPurger()
