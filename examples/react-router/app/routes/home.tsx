import { redirect } from 'react-router'
import { sessionContext } from '../session.server'
import type { Route } from './+types/home'

export async function loader({ context }: Route.LoaderArgs) {
  const session = context.get(sessionContext)
  await session.load()
  return { name: session.userId ?? 'stranger', clicks: session.data.clicks ?? 0 }
}

export async function action({ context, request }: Route.ActionArgs) {
  const session = context.get(sessionContext)
  const button = (await request.formData()).get('button')
  if (button === 'Click') await session.update('clicks', (clicks = 0) => clicks + 1)
  if (button === 'Sign in') await session.signIn('ann') // after you have checked the password
  if (button === 'Sign out') await session.signOut()
  return redirect('/')
}

export default function Home({ loaderData: { name, clicks } }: Route.ComponentProps) {
  return (
    <form method="post">
      <p>
        Hello, {name}. Clicks: {clicks}.
      </p>
      <button type="submit" name="button" value="Click" formAction="/?index">
        Click
      </button>
      <button type="submit" name="button" value="Sign in" formAction="/?index">
        Sign in
      </button>
      <button type="submit" name="button" value="Sign out" formAction="/?index">
        Sign out
      </button>
    </form>
  )
}
