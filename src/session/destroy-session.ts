import { SessionGoneError } from '../errors.ts'
import type { CurrentSession } from './current-session.ts'
import type { Save } from './save.ts'
import type { SessionSnapshot } from './session-snapshot.ts'
import { SUPERSEDED } from './superseded.ts'

/** Ends a session and takes the cookie away. */
export async function destroySession(
  current: CurrentSession,
  snapshot: SessionSnapshot,
  { deadline }: Save,
): Promise<void> {
  const { store, events } = current.context
  const { id: sessionId, userId } = snapshot.summary
  const { secretHashes } = snapshot
  const result = await store.destroy({ id: sessionId, secretHashes }, { deadline })
  if (result.status === 'superseded') throw new SessionGoneError(sessionId, SUPERSEDED)
  current.end()
  // This request has seen it live, so it has ended it if an attempt may have got through.
  const hasEnded = result.status === 'ended' || result.isInDoubt === true
  if (hasEnded) events.emit('destroyed', { sessionId, userId })
}
