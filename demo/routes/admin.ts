import { type Request, Router } from 'express'
import { nodeAdminPage } from 'pg-sessions/admin'
import type { Shop } from '../shop.ts'

/** Who is signed in as this may see the admin page. A demo asks for no password; yours must. */
const ADMINISTRATOR = 'admin'

/** The admin page of pg-sessions, behind the shop's own sign-in. */
export function adminRoute({ sessions, sessionOf }: Shop): Router {
  const admin = nodeAdminPage(sessions, {
    async authorize(request: Request) {
      const session = sessionOf(request)
      await session.load()
      if (session.userId?.toLowerCase() === ADMINISTRATOR) return session.userId
      return new Response(`Sign in as "${ADMINISTRATOR}" on the demo's page first.\n`, {
        status: 403,
        headers: { 'Content-Type': 'text/plain' },
      })
    },
    // A basket is no secret in this shop; everything else stays hidden.
    showValue: ({ key }) => key === 'basket',
  })
  return Router().use('/admin', admin)
}
