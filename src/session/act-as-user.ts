import { ConfigurationError, SessionGoneError, UnsupportedError } from '../errors.ts'
import type { Deadline } from '../store/deadline.ts'
import type { Actor, NewSession, SessionStore } from '../store/session-store.ts'
import { tellOfSignIn } from './begin-session.ts'
import { ChangeSet } from './change-set.ts'
import type { CurrentSession } from './current-session.ts'
import { loadSession } from './load-session.ts'
import { partlyDone } from './partly-done.ts'
import type { SessionContext } from './session-context.ts'
import { SessionSnapshot } from './session-snapshot.ts'
import type { Acting, SignIn } from './sign-in.ts'
import { SUPERSEDED } from './superseded.ts'

/**
 * An administrator acts as a user in a session of its own, with a token of its own. It holds nothing of the
 * administrator's session, and is dead without it: each load looks whether that one lives and is still theirs.
 */

/** A sign-in of an administrator as a user. */
export type ActingSignIn = SignIn & { readonly acting: Acting }

/**
 * Begins a session in which the user of this one acts as another.
 *
 * @throws {ConfigurationError} The actor is not the user of this session, or acts as someone already.
 * @throws {SessionGoneError} The actor's session has ended.
 * @throws {UnsupportedError} The store keeps no actors.
 */
export async function actAs(
  current: CurrentSession,
  signIn: ActingSignIn,
  deadline: Deadline,
): Promise<void> {
  const { context, snapshot } = current
  const { store, policy, tokens } = context
  const { actor, atMost } = signIn.acting
  refuseWithoutActors(store)
  if (snapshot?.summary.userId !== actor || snapshot.summary.actor !== undefined) {
    throw new ConfigurationError(
      'actor must be the user who is signed in to this session, and does not act as someone else: session.userId. End an impersonation by endImpersonation first.',
    )
  }
  current.refuseIfTooLate('Acting as a user')
  // Notes the access, so that the administrator's session does not end before they come back.
  const access = { ...snapshot.guard, lifetime: snapshot.lifetime(), written: [], deleted: [] }
  const saved = await store.save(access, { deadline })
  if (saved.status === 'gone') throw new SessionGoneError(snapshot.id)
  const { expiresAt, now } = saved.times
  const absolute = Math.min(atMost, policy.absoluteTimeout, expiresAt - now)
  const idle = Math.min(policy.idleTimeout, absolute)
  const token = tokens.issue()
  const session: NewSession = {
    id: token.id,
    secretHash: token.secretHash,
    userId: signIn.userId,
    lifetime: { idle, purge: idle },
    ownIdleTimeout: null,
    absolute,
    entries: [],
    actor: { userId: actor, sessionId: snapshot.id },
    ...(signIn.tags === null ? {} : { tags: signIn.tags }),
  }
  const result = await store.create(session, { deadline })
  if (result.status === 'taken') throw new SessionGoneError(session.id)
  const { id: sessionId, summary } = current.begin(token, session, result, new ChangeSet())
  context.events.emit('created', { sessionId, userId: summary.userId })
  tellOfSignIn(context, sessionId, signIn)
}

/**
 * Ends the session of an actor, and goes back to their own under a new token. In any other session it does nothing:
 * a second click on the button, or one in another tab, arrives when the first has gone back already.
 *
 * @param beforeEnding - Is called if there is something to end.
 * @returns Whether a user is signed in to a session of their own.
 * @throws {SessionGoneError} It has ended meanwhile.
 */
export async function endImpersonation(
  current: CurrentSession,
  deadline: Deadline,
  beforeEnding: () => void,
): Promise<boolean> {
  const { context, snapshot } = current
  const { store, tokens, policy, events } = context
  if (snapshot === null) return false
  const { actor } = snapshot.summary
  if (actor === undefined) return snapshot.summary.userId !== null
  beforeEnding()
  refuseWithoutActors(store)
  current.refuseIfTooLate('Ending an impersonation')
  const token = tokens.reissue(actor.sessionId)
  const lifetime = { idle: policy.idleTimeout, purge: policy.idleTimeout }
  const to = token.secretHash
  const acting = { ...snapshot.tokenGuard, own: actor.sessionId, to, lifetime }
  const result = await store.endActing(acting, { deadline })
  if (result.status === 'gone') throw new SessionGoneError(snapshot.id, SUPERSEDED)
  const { id: sessionId, userId } = snapshot.summary
  events.emit('impersonationEnded', { sessionId, userId, actor: actor.userId })
  if (result.own === null) {
    current.end()
    return false
  }
  const own = new SessionSnapshot(policy, result.own, [token.secretHash])
  current.snapshot = own
  current.issue(own, token.token)
  const proof = { id: own.id, secretHashes: [token.secretHash] }
  const loading = loadSession(context, [{ token: token.token, proof }], { deadline })
  const loaded = await loading.catch((error: unknown) => {
    throw partlyDone(error, WENT_BACK)
  })
  current.snapshot = loaded?.snapshot ?? null
  return current.snapshot !== null
}

/** Ends the administrator's own session as well: who signs out at this browser is out. */
export async function signOutActor(
  { store, events }: SessionContext,
  { userId, sessionId }: Actor,
  deadline: Deadline,
): Promise<void> {
  const ending = store.destroy({ id: sessionId, owner: userId }, { deadline })
  const result = await ending.catch((error: unknown) => {
    throw partlyDone(error, ACTOR_LEFT)
  })
  if (result.status === 'ended') events.emit('destroyed', { sessionId, userId })
}

const WENT_BACK =
  "The impersonation has ended, and the store stopped answering before the administrator's own session was read. The response's cookie opens it: redirect, or let the client try again."
const ACTOR_LEFT =
  "The impersonation has ended, and the store stopped answering before the administrator's own session had. End it by destroyById(id, { userId }), or by destroyByUser."

function refuseWithoutActors(
  store: SessionStore,
): asserts store is SessionStore & Required<Pick<SessionStore, 'endActing' | 'findLive'>> {
  if (store.endActing !== undefined && store.findLive !== undefined) return
  throw new UnsupportedError(
    `The store '${store.name}' keeps no actors, so no administrator can act as a user. Leave out actor.`,
  )
}
