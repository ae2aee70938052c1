import { ConfigurationError, NotLoadedError, SessionGoneError } from '../errors.ts'
import type { Deadline } from '../store/deadline.ts'
import type { SessionStore } from '../store/session-store.ts'
import type { SessionContext } from './session-context.ts'
import type { SessionSnapshot } from './session-snapshot.ts'

/**
 * The row of the user whom a loaded session belongs to; null for an anonymous one.
 *
 * @throws {NotLoadedError} The user signed in after the session was loaded, and has not been read.
 */
export function userOf(store: SessionStore, snapshot: SessionSnapshot | null): unknown {
  capabilityOf(store)
  if (!hasUser(snapshot)) return null
  if (snapshot.user === undefined) throw new NotLoadedError('session.user')
  return snapshot.user
}

/** Whether the user's row is still to be read, because the user signed in after the session was loaded. */
export function isUserMissing(store: SessionStore, snapshot: SessionSnapshot | null): boolean {
  return store.loadUser !== undefined && hasUser(snapshot) && snapshot.user === undefined
}

/**
 * Reads the user's row again. A user who is gone becomes null; the next request is signed out.
 *
 * @throws {SessionGoneError} The session ended, or changed hands, meanwhile.
 */
export async function loadUser(
  { store, events }: SessionContext,
  snapshot: SessionSnapshot | null,
  deadline: Deadline,
): Promise<unknown> {
  const load = capabilityOf(store)
  if (!hasUser(snapshot)) return null
  const { userId } = snapshot.summary
  const result = await load(snapshot.tokenGuard, { deadline })
  if (result.status === 'gone') throw new SessionGoneError(snapshot.id)
  snapshot.user = result.user
  if (result.user === null) events.emit('userGone', { sessionId: snapshot.id, userId })
  return result.user
}

type SignedIn = SessionSnapshot & { readonly summary: { readonly userId: string } }

function hasUser(snapshot: SessionSnapshot | null): snapshot is SignedIn {
  return snapshot !== null && snapshot.summary.userId !== null
}

function capabilityOf({ loadUser }: SessionStore): NonNullable<SessionStore['loadUser']> {
  if (loadUser !== undefined) return loadUser
  throw new ConfigurationError(
    "session.user needs the setting user: createSessions({ database, user: { select: 'id, name', from: 'app.users', key: 'id' } }).",
  )
}
