import { ConfigurationError } from '../../errors.ts'
import type { Session } from '../../session/session.ts'
import type { PassportRequest } from './passport-like.ts'

/**
 * Makes the function that finds a request's native session.
 *
 * @param find - As the application gives it; by default `request.session`.
 * @returns A function that throws a {@link ConfigurationError} when there is none.
 */
export function nativeSession(
  find: ((request: never) => Session) | undefined,
): (request: PassportRequest) => Session {
  if (find !== undefined && typeof find !== 'function') {
    throw new ConfigurationError(
      'session must be a function, such as: session: (req) => native.of(req)',
    )
  }
  return (request) => {
    const session: unknown = find ? find(request as never) : Reflect.get(request, 'session')
    if (isNative(session)) return session
    throw new ConfigurationError(
      session === undefined || session === null
        ? 'Passport found no session on this request. Mount app.use(expressSessions(sessions)) before Passport.'
        : 'Passport found a session of another middleware on this request. passportSessions works on native sessions: mount expressSessions(sessions) in the place of express-session, or leave passportSessions out and keep express-session with PgSessionStore.',
    )
  }
}

function isNative(session: unknown): session is Session {
  return typeof session === 'object' && session !== null && 'signIn' in session && 'take' in session
}
