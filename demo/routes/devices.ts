import { Router } from 'express'
import type { Shop } from '../shop.ts'

/** Ending one's sessions on other devices. */
export function deviceRoutes({ sessions, sessionOf }: Shop): Router {
  const router = Router()

  router.post('/devices/:id/sign-out', async (request, response) => {
    const session = sessionOf(request)
    const { userId } = session
    if (userId !== null) {
      // The id comes from the client: naming the owner keeps it from ending anybody else's session.
      const wasLive = await sessions.destroyById(request.params.id, { userId })
      if (wasLive) session.set('notice', 'The other device is signed out, at its next click.')
    }
    response.redirect(303, '/#devices')
  })

  router.post('/devices/sign-out-others', async (request, response) => {
    const session = sessionOf(request)
    const { userId, id } = session
    if (userId !== null) {
      const count = await sessions.destroyByUser(userId, { except: id })
      session.set(
        'notice',
        `Signed out everywhere else: ${count} ${count === 1 ? 'device' : 'devices'}.`,
      )
    }
    response.redirect(303, '/#devices')
  })

  return router
}
