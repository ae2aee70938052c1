import { ConfigurationError } from '../../errors.ts'
import { assertSessions } from '../../http/assert-sessions.ts'
import type { DefaultData, Exchange, Session, SessionOpener } from '../../http/exchange.ts'

type Key<Data> = keyof Data & string
type FlashKey<Name extends string> = `__flash_${Name}__`

/** A session as `createSessionStorage` of React Router gives it. */
export interface RouterSession<Data extends object, FlashData extends object = Data> {
  /** The session's public id; empty for one that is not stored. It grants nothing. */
  readonly id: string
  /** All that the session holds. */
  readonly data: Partial<
    Data & { [Name in keyof FlashData as FlashKey<Name & string>]: FlashData[Name] }
  >
  has(name: Key<Data> | Key<FlashData>): boolean
  /** Gives a value; one that `flash` has set is removed with the next commit. */
  get<Name extends Key<Data> | Key<FlashData>>(
    name: Name,
  ):
    | (Name extends keyof Data ? Data[Name] : undefined)
    | (Name extends keyof FlashData ? FlashData[Name] : undefined)
    | undefined
  set<Name extends Key<Data>>(name: Name, value: Data[Name]): void
  /** Sets a value that is given once. */
  flash<Name extends Key<FlashData>>(name: Name, value: FlashData[Name]): void
  unset(name: Key<Data>): void
}

/** What `createSessionStorage` of React Router makes, and `of`. */
export interface RouterSessionStorage<Data extends object, FlashData extends object = Data> {
  /** Reads the session of a `Cookie` header; an empty one when there is none. */
  getSession: (
    cookieHeader?: string | null,
    options?: object,
  ) => Promise<RouterSession<Data, FlashData>>
  /**
   * Saves what has changed, key by key, and gives the `Set-Cookie` value: an empty one, which browsers
   * ignore, when the client's cookie stays as it is.
   *
   * @throws {SessionGoneError} The session ended meanwhile. Nothing was written.
   * @throws {ConfigurationError} Options were given, or a session of another storage.
   */
  commitSession: (session: RouterSession<Data, FlashData>, options?: object) => Promise<string>
  /** Ends the session, and gives the `Set-Cookie` value that takes the cookie away. */
  destroySession: (session: RouterSession<Data, FlashData>, options?: object) => Promise<string>
  /**
   * The session behind it, for `signIn`, `signOut`, `update`, `take`, `rotate` and `setLifetime`. Commit
   * afterwards, for the new cookie.
   */
  of: (session: RouterSession<Data, FlashData>) => Session<Data>
}

/**
 * Makes a session storage with the interface of React Router's `createSessionStorage`, for applications
 * that are written against it.
 *
 * What it adds to the interface: saves touch changed keys only, so parallel requests do not lose each
 * other's; the token rotates at `of(session).signIn(userId)`. The cookie and its lifetime are those of the
 * settings, so `commitSession` takes no options. What the middleware does by itself is left to you here:
 * `Cache-Control: no-store` where a cookie is set, and `Vary: Cookie`.
 *
 * @throws {ConfigurationError} `sessions` was not created by `createSessions()`.
 * @example
 * ```ts
 * import { reactRouterSessionStorage } from 'pg-sessions/react-router'
 *
 * export const { getSession, commitSession, destroySession } = reactRouterSessionStorage(sessions)
 * ```
 */
export function reactRouterSessionStorage<
  Data extends object = DefaultData,
  FlashData extends object = Data,
>(sessions: SessionOpener<Data>): RouterSessionStorage<Data, FlashData> {
  assertSessions(sessions, 'reactRouterSessionStorage')
  const exchanges = new WeakMap<object, Exchange<Data>>()

  const exchangeOf = (session: object): Exchange<Data> => {
    const exchange = exchanges.get(session)
    if (exchange !== undefined) return exchange
    throw new ConfigurationError(
      'This session comes from another storage: pass the one that getSession of the same storage gave.',
    )
  }
  const committed = async (exchange: Exchange<Data>, options: object = {}): Promise<string> => {
    refuseOptions(options)
    const [line = ''] = (await exchange.commit()).setCookies
    return line
  }

  return {
    async getSession(cookieHeader) {
      const exchange = sessions.open(cookieHeader)
      await exchange.session.load()
      const session = routerSession<Data, FlashData>(exchange.session)
      exchanges.set(session, exchange)
      return session
    },
    commitSession: (session, options) => committed(exchangeOf(session), options),
    destroySession(session, options) {
      const exchange = exchangeOf(session)
      exchange.discard()
      exchange.session.destroy()
      return committed(exchange, options)
    },
    of: (session) => exchangeOf(session).session,
  }
}

function routerSession<Data extends object, FlashData extends object>(
  session: Session<Data>,
): RouterSession<Data, FlashData> {
  // The type says which keys there are; the interface builds the names of some of them.
  const entries = session as unknown as Session<Record<string, unknown>>
  const flashed = (name: string): string => `__flash_${name}__`
  const find = (name: string): unknown => {
    const { data } = entries
    if (name in data) return data[name]
    const value = data[flashed(name)]
    if (value !== undefined) entries.delete(flashed(name))
    return value
  }
  return {
    get id() {
      return session.id ?? ''
    },
    get data() {
      return { ...session.data } as RouterSession<Data, FlashData>['data']
    },
    has: (name) => name in entries.data || flashed(name) in entries.data,
    get: (name) => find(name) as ReturnType<RouterSession<Data, FlashData>['get']> as never,
    set: (name, value) => session.set(name, value),
    flash: (name, value) => entries.set(flashed(name), value),
    unset: (name) => session.delete(name),
  }
}

/** What they would ask for is a matter of the settings; ignoring them would be worse than refusing. */
function refuseOptions(options: object): void {
  const [name] = Object.keys(options)
  if (name === undefined) return
  throw new ConfigurationError(
    `The cookie's ${name} is a matter of createSessions({ cookie }), and how long a session lives of of(session).setLifetime(). Leave the options out.`,
  )
}
