import { SessionGoneError } from '../errors.ts'
import { createSession } from './begin-session.ts'
import { ChangeSet } from './change-set.ts'
import type { CurrentSession } from './current-session.ts'
import type { Save } from './save.ts'
import type { SessionSnapshot } from './session-snapshot.ts'
import type { SignIn } from './sign-in.ts'
import { SUPERSEDED } from './superseded.ts'

/**
 * Signs a user in although another request has signed in the same user a moment ago, as after a second click
 * on "log in": with a session of their own, into which the visitor's entries come along.
 *
 * @throws {SessionGoneError} If the session has ended, belongs to another user, or has only another token.
 */
export async function signInApart(
  current: CurrentSession,
  snapshot: SessionSnapshot,
  signIn: SignIn,
  save: Save,
): Promise<void> {
  const { changes, deadline } = save
  const { store } = current.context
  const [live] = (await store.findLive?.([snapshot.id], { deadline })) ?? []
  if (live?.userId !== signIn.userId) {
    throw new SessionGoneError(snapshot.id, live === undefined ? undefined : SUPERSEDED)
  }
  const carried = new ChangeSet()
  for (const [key, value] of snapshot.entries.all()) {
    // Its bytes are out of reach, for this request's token is dead. Nothing is dropped in silence.
    if (value.isOmitted && changes.pending(key) === undefined) {
      throw new SessionGoneError(snapshot.id, SUPERSEDED)
    }
    carried.set(key, value)
  }
  for (const [key, value] of changes.entries()) {
    if (value === null) carried.delete(key)
    else carried.set(key, value)
  }
  carried.lifetime = changes.lifetime
  await createSession(current, { ...save, changes: carried })
}
