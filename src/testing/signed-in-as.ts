import { ConfigurationError } from '../errors.ts'
import type { DefaultData } from '../session/session.ts'
import type { Sessions } from '../sessions.ts'

/** What the session of {@link signedInAs} holds, beside its user. */
export interface SignedInOptions<Data extends object> {
  /** Keys to set. */
  readonly data?: Partial<Data>
  /** When the user signed in. Defaults to now. */
  readonly authenticatedAt?: Date
  /** The host of the Playwright cookie. Defaults to `'localhost'`. */
  readonly domain?: string
}

/** A cookie as Playwright's `context.addCookies([…])` takes it. */
export interface PlaywrightCookie {
  readonly name: string
  readonly value: string
  readonly domain: string
  readonly path: string
  readonly httpOnly: boolean
  readonly secure: boolean
  readonly sameSite: 'Lax' | 'None' | 'Strict'
}

/** A signed-in client, for any test tool. */
export interface SignedIn {
  /** The value of the request's `Cookie` field: `__Host-id=…`. */
  readonly cookie: string
  /** The same as headers, for `fetch`, `app.inject` and `app.request`. */
  readonly headers: { readonly cookie: string }
  /** The same for a browser: `await context.addCookies([signedIn.playwright])`. */
  readonly playwright: PlaywrightCookie
}

/**
 * Makes a session that is signed in, as your login does, and gives its cookie. For tests of pages behind a
 * login, with any test runner and any store.
 *
 * @param userId - As you pass it to `session.signIn`.
 * @throws {ConfigurationError} If it was not given sessions and a user id, or if `authenticatedAt` is not a date, or lies in the future.
 * @throws {UnsupportedError} If `authenticatedAt` is given and the store does not support it.
 * @example
 * ```ts
 * import { signedInAs } from 'pg-sessions/testing'
 *
 * const { headers } = await signedInAs(sessions, 'ann', { data: { basket: ['apple'] } })
 * const response = await fetch('http://localhost:3000/account', { headers })
 * ```
 */
export async function signedInAs<Data extends object = DefaultData>(
  sessions: Sessions<Data>,
  userId: string,
  options: SignedInOptions<Data> = {},
): Promise<SignedIn> {
  const isSessions = typeof Object(sessions).open === 'function'
  if (!isSessions || typeof userId !== 'string') throw wrongArguments()
  const { data = {}, authenticatedAt, domain = 'localhost' } = options
  const age = authenticatedAt === undefined ? 0 : ageOf(authenticatedAt)
  const exchange = sessions.open(null)
  const { session } = exchange
  for (const [key, value] of Object.entries(data)) session.set(key as never, value as never)
  await session.signIn(userId)
  const { setCookies } = await exchange.commit()
  if (age > 0) {
    await session.load()
    await sessions.backdateSignIn(session.id as string, age)
  }
  const playwright = playwrightCookie(setCookies[0] as string, domain)
  const cookie = `${playwright.name}=${playwright.value}`
  return { cookie, headers: { cookie }, playwright }
}

function wrongArguments(): ConfigurationError {
  return new ConfigurationError(
    "signedInAs takes what createSessions has given, and the id of the user. Write await signedInAs(sessions, 'ann').",
  )
}

function ageOf(authenticatedAt: Date): number {
  const age = authenticatedAt instanceof Date ? Date.now() - authenticatedAt.getTime() : Number.NaN
  if (age >= 0) return age
  throw new ConfigurationError(
    'authenticatedAt must be a date in the past, such as new Date(Date.now() - 3_600_000).',
  )
}

function playwrightCookie(setCookie: string, domain: string): PlaywrightCookie {
  const [pair = '', ...attributes] = setCookie.split('; ')
  const values = new Map(
    attributes.map((attribute) => {
      const [name = '', value = ''] = attribute.split('=')
      return [name.toLowerCase(), value]
    }),
  )
  const [name = '', value = ''] = pair.split(/=(.*)/s)
  const sameSite = values.get('samesite')
  return {
    name,
    value,
    domain: values.get('domain') ?? domain,
    path: values.get('path') ?? '/',
    httpOnly: values.has('httponly'),
    secure: values.has('secure'),
    sameSite: sameSite === 'Strict' || sameSite === 'None' ? sameSite : 'Lax',
  }
}
