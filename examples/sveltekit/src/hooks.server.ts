import { dev } from '$app/env'
import { Pool } from 'pg'
import { createSessions } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { sveltekitSessions } from 'pg-sessions/sveltekit'

declare module 'pg-sessions' {
  interface SessionData {
    clicks: number
  }
}

if (dev) process.loadEnvFile() // .env
const pool = new Pool({ connectionString: process.env.DATABASE_URL })
const sessions = createSessions({ database: fromPg(pool), cookie: { development: dev } })

export const init = (): void => void sessions.startPurger()
export const handle = sveltekitSessions(sessions)
