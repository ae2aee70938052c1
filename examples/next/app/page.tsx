import { Suspense } from 'react'
import { getSession } from '../session'

export default function Page() {
  return (
    <Suspense fallback={<p>Loading …</p>}>
      <Greeting />
    </Suspense>
  )
}

async function Greeting() {
  const session = await getSession()
  await session.load()
  return (
    <form method="post">
      <p>Hello, {session.userId ?? 'stranger'}.</p>
      <p>Clicks: {session.data.clicks ?? 0}.</p>
      <button type="submit" formAction="/click">
        Click
      </button>
      <button type="submit" formAction="/login">
        Sign in
      </button>
      <button type="submit" formAction="/logout">
        Sign out
      </button>
    </form>
  )
}
