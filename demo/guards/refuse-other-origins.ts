import type { RequestHandler } from 'express'
import { errorPage } from '../pages/error-page.ts'

/**
 * Refuses forms that another site's page sends (CSRF).
 *
 * The cookie's SameSite=Lax already keeps other sites' forms from carrying the session. It does not
 * tell apart the ports of one host or the subdomains of one domain; Origin does, and every browser
 * sends it with POST. Behind a proxy that ends TLS, Express needs `trust proxy` for `protocol`.
 */
export const refuseOtherOrigins: RequestHandler = (request, response, next) => {
  const isReading = request.method === 'GET' || request.method === 'HEAD'
  const ownOrigin = `${request.protocol}://${request.get('host')}`
  if (isReading || request.get('origin') === ownOrigin) return next()
  const page = errorPage('This form was not sent from the shop itself', 'So nothing was done.')
  response.status(403).send(String(page))
}
