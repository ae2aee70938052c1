/**
 * Passport on native sessions.
 *
 * @module
 */
import { ConfigurationError } from '../errors.ts'
import { passportUserId } from '../import/passport-user.ts'
import { processWide } from '../process-wide.ts'
import type { Session } from '../session/session.ts'
import { nativeSession } from './passport/native-session.ts'
import type { Middleware, PassportContext, PassportLike } from './passport/passport-like.ts'
import { requestView, responseView } from './passport/request-view.ts'
import { NativeSessionManager } from './passport/session-manager.ts'
import { NativeSessionStrategy } from './passport/session-strategy.ts'
import { sessionView } from './passport/session-view.ts'

export { type OAuthStateOptions, OAuthStateStore } from './passport/oauth-state-store.ts'
export type { PassportLike } from './passport/passport-like.ts'

/** Options of {@link passportSessions}. */
export interface PassportSessionsOptions {
  /** How to find a request's session. Defaults to `request.session`. */
  readonly session?: (request: never) => Session
  /**
   * Returns the user id for what `serializeUser` gave, or null for none. Defaults to the value itself when it
   * is a string or a whole number, and to its `id` when it is an object.
   */
  readonly userId?: (serialized: never) => string | null
}

const done = processWide('passport', () => new WeakSet<object>())

/**
 * Makes Passport 0.7 use native sessions. Call it once, before `passport.session()` and
 * `passport.authenticate(…)` are called.
 *
 * - `req.logIn(user, done)` is `session.signIn`: new token, and the user's sessions can be listed and ended.
 *   As in Passport, the visitor's data goes unless `keepSessionInfo` is set.
 * - `req.logOut(done)` is `session.signOut`.
 * - `passport.session()` sets `req.user` of who is signed in, also when `signIn` was called without Passport.
 * - Strategies and options of Passport that write to `req.session` by property (OAuth state,
 *   `failureMessage`, `successReturnToOrRedirect`, connect-flash) get a session that takes it. Your own
 *   handlers keep the native one.
 *
 * @throws {ConfigurationError} If it is not given a `passport` instance of version 0.6 or newer, or an option
 * is wrong.
 * @example
 * ```ts
 * import passport from 'passport'
 * import { passportSessions } from 'pg-sessions/passport'
 *
 * app.use(expressSessions(sessions))
 * passportSessions(passport)
 * app.use(passport.session())
 *
 * app.post('/login', passport.authenticate('local', { successRedirect: '/', failureRedirect: '/login' }))
 * ```
 */
export function passportSessions<Passport extends PassportLike>(
  passport: Passport,
  options: PassportSessionsOptions = {},
): Passport {
  const context = contextOf(passport, options)
  if (done.has(passport)) return passport
  const { authenticate, authorize, use } = passport as unknown as Makers
  const onView =
    (make: Maker): Maker =>
    (...parameters) => {
      const middleware = make.apply(passport, parameters)
      return (request, response, next) => {
        const run = async (): Promise<void> => {
          const session = context.session(request)
          await session.load()
          const { session: both, sync } = sessionView(session)
          const view = requestView(request, both)
          const answer = responseView(response, sync)
          const goOn = (error?: unknown): void => {
            sync()
            next(error)
          }
          // From outside of the promise, as Express would: a strategy that throws is the application's error.
          process.nextTick(() => {
            try {
              middleware(view, answer, goOn)
            } catch (error) {
              next(error)
            }
          })
        }
        run().catch(next)
      }
    }
  Object.assign(passport, {
    authenticate: onView(authenticate),
    authorize: onView(authorize),
    // Passport means to make it replaceable by a method, which no release has yet.
    _sm: new NativeSessionManager(context),
  })
  use.call(passport, 'session', new NativeSessionStrategy(context))
  done.add(passport)
  return passport
}

type Maker = (...parameters: unknown[]) => Middleware

interface Makers {
  readonly authenticate: Maker
  readonly authorize: Maker
  readonly use: (name: string, strategy: object) => unknown
}

type Told = (error: unknown, value?: unknown) => void
type Transformer = (value: unknown, request: object, done: Told) => void

function contextOf(passport: PassportLike, options: PassportSessionsOptions): PassportContext {
  if (typeof passport?.serializeUser !== 'function' || !('_sm' in passport)) {
    throw new ConfigurationError(
      "passportSessions takes the passport instance, version 0.6 or newer: import passport from 'passport'; passportSessions(passport)",
    )
  }
  for (const name of Object.keys(options)) {
    if (name === 'session' || name === 'userId') continue
    throw new ConfigurationError(
      `passportSessions has no option '${name}'. It has session and userId.`,
    )
  }
  const { userId } = options
  if (userId !== undefined && typeof userId !== 'function') {
    throw new ConfigurationError('userId must be a function, such as: userId: (user) => user.name')
  }
  const transformed =
    (method: 'serializeUser' | 'deserializeUser') =>
    (value: unknown, request: object): Promise<unknown> =>
      new Promise((resolve, reject) => {
        const transform = passport[method].bind(passport) as unknown as Transformer
        transform(value, request, (error, result) => (error ? reject(error) : resolve(result)))
      })
  return {
    session: nativeSession(options.session),
    userId: (user) => (userId ? userId(user as never) : passportUserId({ passport: { user } })),
    serialize: transformed('serializeUser'),
    deserialize: transformed('deserializeUser'),
  }
}
