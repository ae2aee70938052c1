import { Router } from 'express'
import type { Pool } from 'pg'
import { SessionGoneError } from 'pg-sessions'
import { errorPage } from '../pages/error-page.ts'
import type { Shop } from '../shop.ts'
import { postAsVisitor } from '../under-the-hood/own-request.ts'
import { expireStoredSession } from '../under-the-hood/stored-session.ts'

/** Moments that are hard to catch: a session that expires, and a save that comes after the sign-out. */
export function momentRoutes({ sessionOf }: Shop, pool: Pool): Router {
  const router = Router()

  router.post('/expire', async (request, response) => {
    await expireStoredSession(pool, sessionOf(request).id)
    response.redirect(303, '/?ended=expired')
  })

  // This request is the slow one. Meanwhile the visitor signs out, as from another tab.
  router.post('/slow-save', async (request, response) => {
    const session = sessionOf(request)
    if (session.userId === null) return response.redirect(303, '/')
    await postAsVisitor(request, '/sign-out')
    session.set('basket', { coffee: 100 })
    const refusal = await session.save().then(() => null, asRefusal)
    if (refusal === null) return response.redirect(303, '/')
    const explanation = `You signed out while this request was still at work. Its save failed with ${refusal.name}: “${refusal.message}”`
    const page = errorPage('The late save was refused', explanation, '/?ended')
    response.status(refusal.statusCode).send(String(page))
  })

  return router
}

function asRefusal(error: unknown): SessionGoneError {
  if (error instanceof SessionGoneError) return error
  throw error
}
