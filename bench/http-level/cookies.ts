import { createHmac } from 'node:crypto'
import { tokenOf, visitor } from '../data/visitors.ts'
import { COOKIE_SECRET } from './application.ts'
import type { ApplicationName } from './server-program.ts'

/** What the browsers of the visitors send to an application. */
export function cookiesFor(application: ApplicationName, visitors: number): string[] {
  return Array.from({ length: visitors }, (_, index) => cookieFor(application, index))
}

function cookieFor(application: ApplicationName, index: number): string {
  const who = visitor(index)
  if (application.endsWith('pg-sessions')) return `__Host-id=${tokenOf(who)}`
  const signature = createHmac('sha256', COOKIE_SECRET).update(who.sid).digest('base64')
  const signed = `${who.sid}.${signature.replace(/=+$/, '')}`
  return application.startsWith('Fastify')
    ? `sessionId=${encodeURIComponent(signed)}`
    : `connect.sid=${encodeURIComponent(`s:${signed}`)}`
}
