import { SessionGoneError } from '../errors.ts'
import type { NewSession } from '../store/session-store.ts'
import type { CurrentSession } from './current-session.ts'
import type { Save } from './save.ts'
import { planNewSession } from './save-plan.ts'
import type { SessionContext } from './session-context.ts'
import type { SessionSnapshot } from './session-snapshot.ts'
import type { SignIn } from './sign-in.ts'
import { StoredEntries } from './stored-entries.ts'
import { SUPERSEDED } from './superseded.ts'
import type { IssuedToken } from './token.ts'

/** Stores a session for a visitor who has none. */
export async function createSession(current: CurrentSession, save: Save): Promise<void> {
  const { context } = current
  const { changes, signIn, deadline } = save
  const { token, session } = planNew('Storing a first value', current, save)
  const result = await context.store.create(session, { deadline })
  if (result.status === 'taken') throw new SessionGoneError(session.id)
  const { id: sessionId } = current.begin(token, session, result, changes)
  const { userId } = session
  context.events.emit('created', { sessionId, userId })
  tellOfSignIn(context, sessionId, signIn, result.evicted)
}

/** Ends a session and begins an empty one, with another id and token, in one statement. */
export async function replaceSession(
  current: CurrentSession,
  snapshot: SessionSnapshot,
  save: Save,
): Promise<void> {
  const { context } = current
  const { changes, signIn, deadline } = save
  const { token, session } = planNew('Clearing the session', current, save)
  const result = await context.store.replace(snapshot.tokenGuard, session, { deadline })
  const isOrphan = snapshot === current.orphan
  if (isOrphan && result.status !== 'created') return createSession(current, save)
  if (result.status === 'superseded') throw new SessionGoneError(snapshot.id, SUPERSEDED)
  if (result.status === 'gone') {
    // What another user's session ended with does not go on as a sign-in in its place.
    const takesOver = signIn !== null && snapshot.summary.userId !== null
    const begins = !takesOver && (signIn !== null || changes.writes)
    if (changes.end !== 'destroy' && !begins) throw new SessionGoneError(snapshot.id)
    // It has ended, as it should. A second click on "log in" gets a session of its own.
    current.snapshot = null
    return createSession(current, save)
  }
  const { id: successorId } = current.begin(token, session, result, changes)
  context.events.emit('cleared', { sessionId: snapshot.id, successorId })
  tellOfSignIn(context, successorId, signIn, result.evicted)
}

export function tellOfSignIn(
  { events }: SessionContext,
  sessionId: string,
  signIn: SignIn | null,
  evicted: readonly string[] = [],
): void {
  if (signIn === null) return
  const { userId, acting } = signIn
  const actor = acting === null ? {} : { actor: acting.actor }
  events.emit('signedIn', { sessionId, userId, ...actor })
  for (const id of evicted) events.emit('destroyed', { sessionId: id, userId, reason: 'evicted' })
}

function planNew(
  action: string,
  current: CurrentSession,
  save: Save,
): { token: IssuedToken; session: NewSession } {
  const { policy, tokens } = current.context
  current.refuseIfTooLate(action)
  new StoredEntries().checkLimits(save.changes, policy.limits)
  const token = tokens.issue()
  return { token, session: planNewSession(current.context, token, save) }
}
