import { fileURLToPath } from 'node:url'
import express, { type Express } from 'express'
import type { Pool } from 'pg'
import { createSessions, type Sessions } from 'pg-sessions'
import { expressSessions, refuseCrossSite } from 'pg-sessions/express'
import { fromPg } from 'pg-sessions/pg'
import { answerErrors, noSuchPage } from './guards/answer-errors.ts'
import { securityHeaders, setSecurityHeaders } from './guards/security-headers.ts'
import { tellOfEndedSession } from './guards/tell-of-ended-session.ts'
import { accountRoutes } from './routes/account.ts'
import { actingRoutes } from './routes/acting.ts'
import { addressRoutes } from './routes/address.ts'
import { adminRoute } from './routes/admin.ts'
import { basketRoutes } from './routes/basket.ts'
import { clickRoutes } from './routes/clicks.ts'
import { deviceRoutes } from './routes/devices.ts'
import { homeRoute } from './routes/home.ts'
import { momentRoutes } from './routes/moments.ts'
import type { Shop, ShopData } from './shop.ts'
import { RoundTripLog } from './under-the-hood/round-trip-log.ts'
import { SCHEMA } from './under-the-hood/stored-session.ts'

export interface Application {
  readonly handler: Express
  readonly sessions: Sessions<ShopData>
}

const PUBLIC_FOLDER = fileURLToPath(new URL('./public', import.meta.url))

/**
 * Plain http reaches `localhost` in every browser, but a Secure cookie does not: Chromium and Firefox
 * take one there, Safari drops it silently, and signing in would fail. So the demo asks for the
 * cookie of development. Behind https leave `development` and `name` out: the cookie is then
 * `__Host-id; Secure`. The name is the demo's own, since ports do not keep cookies apart.
 */
const cookie = { name: 'demo-id', development: true }

/** The shop, on the tables that `pool` leads to. */
export function createApplication(pool: Pool): Application {
  const roundTrips = new RoundTripLog()
  const sessions = createSessions<ShopData>({
    database: roundTrips.watch(fromPg(pool)),
    schema: SCHEMA,
    idleTimeout: '15m',
    absoluteTimeout: '12h',
    cookie,
  })
  const onSession = expressSessions(sessions)
  const shop: Shop = { sessions, sessionOf: onSession.of }

  const handler = express()
  handler.disable('x-powered-by')
  handler.use(express.static(PUBLIC_FOLDER, { setHeaders: setSecurityHeaders }))
  handler.use(securityHeaders, refuseCrossSite(), express.urlencoded({ limit: '10kb' }))
  handler.use(roundTrips.middleware, onSession)
  handler.use(tellOfEndedSession(shop, cookie.name))
  handler.use(adminRoute(shop))
  handler.use(homeRoute(shop, pool, roundTrips))
  handler.use(accountRoutes(shop, pool), basketRoutes(shop), deviceRoutes(shop))
  handler.use(addressRoutes(shop, pool), actingRoutes(shop))
  handler.use(clickRoutes(shop), momentRoutes(shop, pool))
  handler.use(noSuchPage, answerErrors)
  return { handler, sessions }
}
