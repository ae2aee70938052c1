import type { Express } from 'express'
import type session from 'express-session'
import { PgSessionStore, type SidCommonOptions } from 'pg-sessions/express-session'
import {
  expressSessionApplication,
  plainRoutes,
  type SessionApplication,
} from './express-session-application.ts'
import type { Ground, Grounds } from './grounds.ts'

interface OpenApplication extends SessionApplication {
  readonly ground: Ground
  readonly store: PgSessionStore
}

/** Serves an application with express-session and our store on an empty place, until the test is over. */
export async function openExpressSession(
  grounds: Grounds,
  options: SidCommonOptions = {},
  addRoutes: (app: Express) => void = () => {},
  middleware: Partial<session.SessionOptions> = {},
): Promise<OpenApplication> {
  const ground = await grounds.lay()
  const store = new PgSessionStore({
    store: ground.watched.store,
    log: false,
    purgeInterval: 'never',
    ...options,
  })
  const application = await expressSessionApplication(
    store,
    (app) => {
      plainRoutes(app)
      addRoutes(app)
    },
    middleware,
  )
  grounds.closing(application)
  return { ...application, ground, store }
}
