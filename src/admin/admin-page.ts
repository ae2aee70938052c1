import { ConfigurationError } from '../errors.ts'
import { isFetchRequest, wrongMount } from '../http/wrong-mount.ts'
import type { Administration } from '../session/administration.ts'
import { type AdminPageOptions, readAdminOptions } from './admin-options.ts'
import { type AdministeredSessions, Administrator } from './administrator.ts'
import { authorized } from './authorize.ts'

/**
 * Makes a page for operators: how many sessions there are and how the database copes, search by user, session or
 * device, what a session holds, and ending sessions. Mount it where a handler of the Fetch standard goes, on any
 * path; `nodeAdminPage` is for Express, Fastify and plain Node.
 *
 * Each request is authorized by your function first. The page runs no script, changes nothing on GET, and asks
 * before it ends a session. What an administrator does is an event of `sessions.on` and a log line: `adminEnded`,
 * `adminViewed`. No view reads the whole table, so the page costs the same at a million sessions.
 *
 * @param sessions - Those of `createSessions`. With `{ database }` or a `PostgresStore` it shows everything; on
 * other stores it finds users' sessions and ends them.
 * @returns The handler. What it is called with after the request is passed on to `authorize`: the session, for
 * example, in `withSession(sessions, admin)`.
 * @throws {ConfigurationError} `authorize` is missing, or an option is wrong.
 * @example
 * ```ts
 * import type { Session } from 'pg-sessions'
 * import { adminPage } from 'pg-sessions/admin'
 * import { withSession } from 'pg-sessions/fetch'
 *
 * const administrators = new Set(['ann'])
 *
 * const admin = adminPage(sessions, {
 *   authorize: async (request: Request, session: Session) => {
 *     await session.load()
 *     return administrators.has(session.userId ?? '') && session.userId
 *   },
 * })
 *
 * export default { fetch: withSession(sessions, admin) }
 * ```
 */
export function adminPage<Call extends readonly [Request, ...unknown[]] = readonly [Request]>(
  sessions: AdministeredSessions,
  options: AdminPageOptions<Call>,
): (...call: Call) => Promise<Response> {
  const { authorize, ...settings } = readAdminOptions('adminPage', options)
  const administration = administrationOf('adminPage', sessions)
  const administrator = new Administrator(sessions, administration, settings)
  return async (...call) => {
    const [request] = call
    if (!isFetchRequest(request)) {
      throw wrongMount('adminPage', 'nodeAdminPage(sessions, { authorize }) in Express and Node')
    }
    const decide = (): unknown => authorize(...(call as unknown as readonly never[]))
    const authorization = await authorized(decide, administration.log)
    if ('refusal' in authorization) return authorization.refusal
    return administrator.answer(request, authorization.actor)
  }
}

/** @throws {ConfigurationError} `sessions` was not created by `createSessions()`. */
export function administrationOf(maker: string, sessions: AdministeredSessions): Administration {
  const { administration } = Object(sessions)
  if (typeof administration === 'function') return administration.call(sessions)
  throw new ConfigurationError(
    `${maker} needs what createSessions has given. For a store, write ${maker}(createSessions({ store }), { authorize }).`,
  )
}
