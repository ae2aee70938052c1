import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import session from 'express-session'
import type { RunningApplication } from 'pg-sessions/testing'
import { serve } from '../adapters/listen.ts'
import { Browser } from './browser.ts'

/** A session of express-session whose keys are not declared. */
export type AnySession = session.Session & Record<string, unknown>

/** In this program `request.session` has the type of our own adapter for Express. */
export function sessionOf(request: Request): AnySession {
  return (request as unknown as { readonly session: AnySession }).session
}

export interface SessionApplication extends RunningApplication {
  browser(): Browser
}

/** Serves an Express 5 application with express-session on this store. */
export async function expressSessionApplication(
  store: session.Store,
  addRoutes: (app: Express) => void,
  options: Partial<session.SessionOptions> = {},
): Promise<SessionApplication> {
  const app = express()
  app.use(session({ secret: 'test', resave: false, saveUninitialized: false, ...options, store }))
  addRoutes(app)
  app.use((error: Error, _request: Request, response: Response, _next: NextFunction) => {
    response.status((error as { statusCode?: number }).statusCode ?? 500).send(error.message)
  })
  const running = await serve(app)
  return { ...running, browser: () => new Browser(running.origin) }
}

/** Routes that most tests use: `/set/key/value`, `/delete/key`, `/read`, `/logout`. */
export function plainRoutes(app: Express): void {
  app.get('/set/:key/:value', (request, response) => {
    sessionOf(request)[request.params.key] = request.params.value
    response.send('set')
  })
  app.get('/delete/:key', (request, response) => {
    delete sessionOf(request)[request.params.key]
    response.send('deleted')
  })
  app.get('/read', (request, response) => {
    const { cookie: _, ...data } = sessionOf(request)
    response.json(data)
  })
  app.get('/cookie', (request, response) => {
    const { cookie } = sessionOf(request)
    response.json({ ...JSON.parse(JSON.stringify(cookie)), maxAge: cookie.maxAge })
  })
  app.get('/logout', (request, response, next) => {
    sessionOf(request).destroy((error: unknown) => (error ? next(error) : response.send('bye')))
  })
}
