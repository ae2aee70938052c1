import { type Good, goods, price } from '../goods.ts'
import type { Basket } from '../shop.ts'
import { type Html, html } from './html.ts'
import { icon } from './layout.ts'

/** The goods, and how many of each are in the basket. */
export function basketSection(basket: Basket): Html {
  const counts = goods.map((good) => ({ good, count: basket[good.id] ?? 0 }))
  const total = counts.reduce((sum, { good, count }) => sum + good.cents * count, 0)
  return html`<section class="card" id="basket" aria-labelledby="basket-title">
  <h2 id="basket-title">Basket</h2>
  <ul class="goods">${counts.map(({ good, count }) => goodItem(good, count))}</ul>
  <form class="total" method="post" action="/basket/order">
    <p>Total <strong>${price(total)}</strong></p>
    <button class="primary" ${total === 0 && 'disabled'}>Order</button>
  </form>
</section>`
}

function goodItem({ id, name, cents }: Good, count: number): Html {
  return html`<li>
  ${icon(id)}
  <p class="good"><strong>${name}</strong><span>${price(cents)}</span></p>
  <form class="stepper" method="post">
    <button formaction="/basket/${id}/remove" aria-label="Remove ${name}" ${count === 0 && 'disabled'}>−</button>
    <span class="count" data-good="${id}">${count}</span>
    <button formaction="/basket/${id}/add" aria-label="Add ${name}">+</button>
  </form>
</li>`
}
