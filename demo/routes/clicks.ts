import { setTimeout } from 'node:timers/promises'
import { Router } from 'express'
import type { Shop } from '../shop.ts'
import { postAsVisitor } from '../under-the-hood/own-request.ts'

/** How many requests of each kind run concurrently. */
export const CLICKS = 50

/** What a request usually does between reading the session and writing it, in milliseconds. */
const WORK = 20

/** Counts concurrent requests twice: with `update`, and with `get` followed by `set`. */
export function clickRoutes({ sessionOf }: Shop): Router {
  const router = Router()

  router.post('/clicks', async (request, response) => {
    const session = sessionOf(request)
    const isKnown = session.id !== null
    session.set('countedByUpdate', 0)
    session.set('countedBySet', 0)
    await session.save()
    // The browser repeats the form, now with the cookie that the clicks share.
    if (!isKnown) return response.redirect(307, '/clicks')
    await fireClicks((path) => postAsVisitor(request, path))
    response.redirect(303, '/#clicks')
  })

  router.post('/clicks/update', async (request, response) => {
    await setTimeout(WORK)
    await sessionOf(request).update('countedByUpdate', (count = 0) => count + 1)
    response.sendStatus(204)
  })

  // The mistake that `update` is for. Do not copy it.
  router.post('/clicks/set', async (request, response) => {
    const session = sessionOf(request)
    const count = (await session.get('countedBySet')) ?? 0
    await setTimeout(WORK)
    session.set('countedBySet', count + 1)
    response.sendStatus(204)
  })

  return router
}

async function fireClicks(post: (path: string) => Promise<Response>): Promise<void> {
  const paths = Array.from({ length: CLICKS }, () => ['/clicks/update', '/clicks/set']).flat()
  await Promise.all(paths.map(post))
}
