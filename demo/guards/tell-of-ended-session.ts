import type { RequestHandler } from 'express'
import type { Shop } from '../shop.ts'

/**
 * Tells a visitor whose session expired, or was signed out from another device.
 *
 * Such a visitor is anonymous again, and a click on an old page must not start a new session by accident. So the
 * click leads to the start page, which says what happened and deletes the cookie. A page that was only
 * loaded deletes nothing: another tab may have changed the token while this request was in flight, and the
 * browser has the new cookie by now.
 */
export function tellOfEndedSession(shop: Shop, cookieName: string): RequestHandler {
  return async (request, response, next) => {
    const session = shop.sessionOf(request)
    await session.load()
    const showedToken = request.headers.cookie?.includes(`${cookieName}=`) ?? false
    if (session.id !== null || !showedToken || request.path === '/sign-in') return next()
    if (request.method !== 'GET') return response.redirect(303, '/?ended')
    // Sent after the redirect, with the cookie that the browser has now.
    if ('ended' in request.query) session.destroy()
    response.locals.ending =
      request.query.ended === 'expired'
        ? 'Your session has expired: its deadline has passed. The old cookie opens nothing any more.'
        : 'Your session has ended: it expired, or was signed out.'
    next()
  }
}
