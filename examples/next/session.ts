import { cookies, headers } from 'next/headers'
import { after } from 'next/server'
import { Pool } from 'pg'
import { createSessions } from 'pg-sessions'
import { nextSessions } from 'pg-sessions/next'
import { fromPg } from 'pg-sessions/pg'

declare module 'pg-sessions' {
  interface SessionData {
    clicks: number
  }
}

const pool = new Pool({ connectionString: process.env.DATABASE_URL })
const development = process.env.NODE_ENV === 'development' // plain http on localhost
export const sessions = createSessions({ database: fromPg(pool), cookie: { development } })

export const getSession = nextSessions(sessions, { cookies, headers, after })
