import { Router } from 'express'
import type { Pool } from 'pg'
import { requireFresh } from 'pg-sessions/express'
import { browserName } from '../browser-name.ts'
import { readText } from '../form-text.ts'
import { addressPage, signInAgainPage } from '../pages/address-pages.ts'
import { errorPage } from '../pages/error-page.ts'
import type { Shop } from '../shop.ts'
import { ageStoredSignIn } from '../under-the-hood/stored-session.ts'

/** Changing an address, which needs a recent sign-in: a stolen cookie alone does not open it. */
export function addressRoutes({ sessionOf }: Shop, pool: Pool): Router {
  const router = Router()

  router.use('/address', requireFresh('5m', { redirectTo: '/sign-in-again' }))

  router.get('/address', async (request, response) => {
    const address = await sessionOf(request).get('address')
    response.send(String(addressPage(address)))
  })

  router.post('/address', async (request, response) => {
    const session = sessionOf(request)
    const address = readText(request.body?.address, 80)
    if (address === null) {
      session.set('notice', 'Please give an address of 1 to 80 letters.')
    } else {
      session.set('address', address)
      session.set('notice', 'Your address is changed.')
    }
    response.redirect(303, '/')
  })

  router.get('/sign-in-again', async (request, response) => {
    const session = sessionOf(request)
    await session.load()
    if (session.userId === null) return response.redirect(303, '/')
    if (session.actor === null) return response.send(String(signInAgainPage(session.userId)))
    const explanation = `You act as ${session.userId}, and only ${session.userId} can sign in again.`
    const page = errorPage('Support cannot change an address', explanation)
    response.status(403).send(String(page))
  })

  router.post('/sign-in-again', async (request, response) => {
    const session = sessionOf(request)
    await session.load()
    if (session.userId !== null && session.actor === null) {
      const device = { label: browserName(request.get('user-agent')) }
      await session.signIn(session.userId, { device })
    }
    response.redirect(303, '/address')
  })

  router.post('/age-sign-in', async (request, response) => {
    const session = sessionOf(request)
    await session.load()
    await ageStoredSignIn(pool, session.id)
    session.set('notice', 'Your sign-in is now 10 minutes older.')
    response.redirect(303, '/')
  })

  return router
}
