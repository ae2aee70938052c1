import { type Request, Router } from 'express'
import { nodeAdminPage } from 'pg-sessions/admin'
import { ADMINISTRATOR, administratorOf } from '../administrator.ts'
import type { Shop } from '../shop.ts'

/** The admin page of pg-sessions, behind the shop's own sign-in. */
export function adminRoute({ sessions, sessionOf }: Shop): Router {
  const admin = nodeAdminPage(sessions, {
    async authorize(request: Request) {
      const session = sessionOf(request)
      await session.load()
      const administrator = administratorOf(session)
      if (administrator !== null) return administrator
      return new Response(`Sign in as "${ADMINISTRATOR}" on the demo's page first.\n`, {
        status: 403,
        headers: { 'Content-Type': 'text/plain' },
      })
    },
    // A basket is not a secret in this shop; everything else stays hidden.
    showValue: ({ key }) => key === 'basket',
  })
  return Router().use('/admin', admin)
}
