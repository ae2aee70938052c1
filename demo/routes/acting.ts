import { Router } from 'express'
import { administratorOf } from '../administrator.ts'
import { browserName } from '../browser-name.ts'
import { readText } from '../form-text.ts'
import { errorPage } from '../pages/error-page.ts'
import type { Shop } from '../shop.ts'

/** Acting as a user, in a session of its own, and going back to the administrator's session. */
export function actingRoutes({ sessionOf }: Shop): Router {
  const router = Router()

  router.post('/act-as', async (request, response) => {
    const session = sessionOf(request)
    await session.load()
    const actor = administratorOf(session)
    if (actor === null) {
      const page = errorPage(
        'Only the administrator can act as a user',
        'Sign in as “admin” first.',
      )
      return response.status(403).send(String(page))
    }
    const user = readText(request.body?.user, 40)
    if (user === null) {
      session.set('notice', 'Please give a name of 1 to 40 letters.')
    } else {
      const device = { label: browserName(request.get('user-agent')) }
      await session.signIn(user, { actor, atMost: '15m', device })
    }
    response.redirect(303, '/')
  })

  router.post('/stop-acting', async (request, response) => {
    const session = sessionOf(request)
    await session.load()
    if (session.actor !== null) {
      const isBack = await session.endImpersonation()
      session.set(
        'notice',
        isBack
          ? 'You are back in your own session, with a new token.'
          : 'Your own session has ended. Sign in again.',
      )
    }
    response.redirect(303, '/')
  })

  return router
}
