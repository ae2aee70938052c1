import { Router } from 'express'
import { goods } from '../goods.ts'
import type { Basket, Shop } from '../shop.ts'

export function basketRoutes({ sessionOf }: Shop): Router {
  const router = Router()

  // `update` is atomic: of two clicks in two tabs at the same moment, neither is lost.
  router.post('/basket/:good/add', async (request, response) => {
    const { good } = request.params
    await sessionOf(request).update('basket', (basket) => withCount(basket, good, +1))
    response.redirect(303, '/#basket')
  })

  router.post('/basket/:good/remove', async (request, response) => {
    const { good } = request.params
    await sessionOf(request).update('basket', (basket) => withCount(basket, good, -1))
    response.redirect(303, '/#basket')
  })

  // `take` gives the basket to one request only: a double click orders once.
  router.post('/basket/order', async (request, response) => {
    const session = sessionOf(request)
    const basket = await session.take('basket')
    if (basket === undefined) return response.redirect(303, '/#basket')
    const count = Object.values(basket).reduce((sum, each) => sum + each, 0)
    session.set(
      'notice',
      `Thank you for ordering ${count === 1 ? 'one thing' : `${count} things`}.`,
    )
    response.redirect(303, '/')
  })

  return router
}

/** The basket with more or fewer of one of the goods; undefined, which removes it, when empty. */
function withCount(basket: Basket = {}, good: string, difference: number): Basket | undefined {
  const counts = goods
    .map(({ id }) => [id, (basket[id] ?? 0) + (id === good ? difference : 0)] as const)
    .filter(([, count]) => count > 0)
  return counts.length === 0 ? undefined : Object.fromEntries(counts)
}
