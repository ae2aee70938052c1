import type { RequestHandler, Response } from 'express'

/** Nothing from elsewhere, nothing inline: markup that slipped in would still do nothing. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "img-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

export function setSecurityHeaders(response: Response): void {
  response.set({
    'Content-Security-Policy': CONTENT_SECURITY_POLICY,
    'X-Content-Type-Options': 'nosniff',
    // Not `no-referrer`, under which browsers send `Origin: null` with forms.
    'Referrer-Policy': 'same-origin',
  })
}

/** For every answer of a route: the headers, and no copy of the page in any cache. */
export const securityHeaders: RequestHandler = (_request, response, next) => {
  setSecurityHeaders(response)
  response.set('Cache-Control', 'no-store')
  next()
}
