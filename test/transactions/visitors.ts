import type { Sessions } from 'pg-sessions'

/** A browser that a user has signed in with. */
export interface Visitor {
  readonly id: string
  readonly cookie: string
}

/** Signs a user in. */
export async function cookieOf(sessions: Sessions, userId: string): Promise<Visitor> {
  const exchange = sessions.open(null)
  await exchange.session.signIn(userId)
  const { setCookies } = await exchange.commit()
  return { id: String(exchange.session.id), cookie: setCookies[0]?.split(';')[0] ?? '' }
}

/** Who this browser is signed in as, for a request that starts now. */
export async function userOf(sessions: Sessions, { cookie }: Visitor): Promise<string | null> {
  const { session } = sessions.open(cookie)
  await session.load()
  return session.userId
}
