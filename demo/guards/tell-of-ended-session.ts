import type { RequestHandler } from 'express'
import type { Shop } from '../shop.ts'

/**
 * Tells a visitor whose session ran out, or was signed out from another device.
 *
 * Such a visitor is anonymous again, and a click on an old page must not begin a new session by
 * the way. So the click leads to the start page, which drops the cookie and says what happened.
 */
export function tellOfEndedSession(shop: Shop, cookieName: string): RequestHandler {
  return async (request, response, next) => {
    const session = shop.sessionOf(request)
    await session.load()
    const showedToken = request.headers.cookie?.includes(`${cookieName}=`) ?? false
    if (session.id !== null || !showedToken || request.path === '/sign-in') return next()
    if (request.method !== 'GET') return response.redirect(303, '/')
    session.destroy()
    response.locals.hasEnded = true
    next()
  }
}
