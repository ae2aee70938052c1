import type { Administration } from '../session/administration.ts'
import type { Sessions } from '../sessions.ts'
import { isUserId } from '../store/user-id.ts'
import { doneLink, sessionLink, tagLink, userLink } from './pages/links.ts'
import type { Action } from './requested-view.ts'

/** Ends what an administrator has confirmed, says so by an event, and gives where to go from there. */
export async function endSessions(
  sessions: Pick<Sessions, 'destroyById' | 'destroyByUser' | 'destroyByTag'>,
  { store, events }: Pick<Administration, 'store' | 'events'>,
  { kind, target }: Action,
  actor: string,
): Promise<string> {
  if (kind === 'end-user') {
    const ended = isUserId(target) ? await sessions.destroyByUser(target) : 0
    events.emit('adminEnded', { actor, sessionId: null, userId: target, tag: null, ended })
    return doneLink(userLink(target), ended)
  }
  if (kind === 'end-tag') {
    // What a user's id can be, a tag can be.
    const ended = isUserId(target) ? await sessions.destroyByTag(target) : 0
    events.emit('adminEnded', { actor, sessionId: null, userId: null, tag: target, ended })
    return doneLink(tagLink(target), ended)
  }
  // Read before: the event then names the user, though the session is gone.
  const [live] = (await store.findLive?.([target])) ?? []
  const ended = (await sessions.destroyById(target)) ? 1 : 0
  const userId = live?.userId ?? null
  events.emit('adminEnded', { actor, sessionId: target, userId, tag: null, ended })
  return doneLink(sessionLink(target), ended)
}
