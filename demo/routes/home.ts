import { Router } from 'express'
import type { Pool } from 'pg'
import { administratorOf } from '../administrator.ts'
import { listDevices } from '../devices.ts'
import { homePage } from '../pages/home-page.ts'
import type { Shop } from '../shop.ts'
import type { RoundTripLog } from '../under-the-hood/round-trip-log.ts'
import { readStoredSession } from '../under-the-hood/stored-session.ts'

/** The shop's main page. */
export function homeRoute(shop: Shop, pool: Pool, roundTrips: RoundTripLog): Router {
  const router = Router()

  router.get('/', async (request, response) => {
    const session = shop.sessionOf(request)
    await session.load()
    const notice = await session.take('notice')
    const formerHash = await session.take('formerHash')
    const devices = await listDevices(shop.sessions, session)
    const page = homePage({
      notice: response.locals.ending ?? notice,
      userId: session.userId,
      actor: session.actor,
      isAdministrator: administratorOf(session) !== null,
      data: session.data,
      devices,
      stored: await readStoredSession(pool, session.id),
      formerHash,
      requests: roundTrips.latest(session.id),
    })
    response.send(String(page))
  })

  return router
}
