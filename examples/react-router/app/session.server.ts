import { Pool } from 'pg'
import { createSessions, type Session } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { reactRouterSessions } from 'pg-sessions/react-router'
import { createContext } from 'react-router'

declare module 'pg-sessions' {
  interface SessionData {
    clicks: number
  }
}

const pool = new Pool({ connectionString: process.env.DATABASE_URL })
const development = process.env.NODE_ENV === 'development' // plain http on localhost
const sessions = createSessions({ database: fromPg(pool), cookie: { development } })
sessions.startPurger()

export const sessionContext = createContext<Session>()
export const sessionMiddleware = reactRouterSessions(sessions, sessionContext)
