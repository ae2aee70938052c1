import { getSecret } from 'astro:env/server'
import { Pool } from 'pg'
import { createSessions } from 'pg-sessions'
import { astroSessions } from 'pg-sessions/astro'
import { fromPg } from 'pg-sessions/pg'

declare module 'pg-sessions' {
  interface SessionData {
    clicks: number
  }
}

const pool = new Pool({ connectionString: getSecret('DATABASE_URL') })
const development = import.meta.env.DEV // plain http on localhost
const sessions = createSessions({ database: fromPg(pool), cookie: { development } })

sessions.startPurger()
export const onRequest = astroSessions(sessions)
