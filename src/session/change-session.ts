import { ConfigurationError, SessionGoneError, StoreUnavailableError } from '../errors.ts'
import { tellOfSignIn } from './begin-session.ts'
import type { CurrentSession } from './current-session.ts'
import { nextToken } from './next-token.ts'
import type { Save } from './save.ts'
import { type NextToken, planChange } from './save-plan.ts'
import type { SessionSnapshot } from './session-snapshot.ts'
import type { SignIn } from './sign-in.ts'
import { signInApart } from './sign-in-apart.ts'

/** Changes a stored session, which goes on under its id. */
export async function changeSession(
  current: CurrentSession,
  snapshot: SessionSnapshot,
  save: Save,
): Promise<void> {
  const { changes, signIn, factor } = save
  changes.dropDeletionsOfAbsent(snapshot.entries)
  if (changes.isEmpty && signIn === null && factor === null) return
  if (changes.lifetime !== null && snapshot.summary.actor !== undefined) {
    throw new ConfigurationError(
      'A session of an actor keeps the lifetime that signIn gave it by atMost. Call endImpersonation, and begin another.',
    )
  }
  snapshot.entries.checkLimits(changes, current.context.policy.limits)
  await saveChange(current, snapshot, nextToken(current, snapshot, save), save)
}

/** Saves a change of entries, of the token, or of both. */
export async function saveChange(
  current: CurrentSession,
  snapshot: SessionSnapshot,
  token: NextToken | null,
  save: Save,
): Promise<void> {
  const { context } = current
  const { changes, signIn, deadline } = save
  const change = planChange(context, snapshot, token, save)
  const result = await context.store.save(change, { deadline }).catch((error: unknown) => {
    const isUnknown = error instanceof StoreUnavailableError && error.outcome === 'unknown'
    if (isUnknown && token !== null) snapshot.tokenMayBe(token.secretHash)
    throw error
  })
  if (result.status === 'gone') {
    if (signIn === null) throw new SessionGoneError(snapshot.id)
    return signInApart(current, snapshot, signIn, save)
  }
  const { ownIdleTimeout, factor } = change.credentials ?? {}
  snapshot.refresh(result.times, {
    ...(signIn === null ? {} : { userId: signIn.userId }),
    ...(factor === undefined ? {} : { elevation: { factor, at: result.times.now } }),
    ...(ownIdleTimeout === undefined ? {} : { ownIdleTimeout }),
    ...(result.version === undefined ? {} : { version: result.version }),
    ...(token !== null && result.rotated ? { isRotationDue: false } : {}),
  })
  snapshot.entries.keepAll(changes)
  if (token !== null && result.rotated) {
    replaceToken(current, snapshot, token, signIn, result.evicted)
  }
}

function replaceToken(
  current: CurrentSession,
  snapshot: SessionSnapshot,
  { token, secretHash, grace }: NextToken,
  signIn: SignIn | null,
  evicted: readonly string[] | undefined,
): void {
  snapshot.tokenReplaced(secretHash)
  current.issue(snapshot, token)
  if (signIn !== null) return tellOfSignIn(current.context, snapshot.id, signIn, evicted)
  const { id: sessionId, userId } = snapshot.summary
  current.context.events.emit(grace === null ? 'rotated' : 'renewed', { sessionId, userId })
}
