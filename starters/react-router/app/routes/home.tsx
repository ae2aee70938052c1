import type { Route } from './+types/home'

export function meta(_: Route.MetaArgs) {
  return [{ title: 'Shop' }]
}

export default function Home() {
  return <h1>Shop</h1>
}
