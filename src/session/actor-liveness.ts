import type { CallOptions } from '../store/deadline.ts'
import type { Actor, SessionStore } from '../store/session-store.ts'

/** Whether the session that an acting one depends on lives. True for a user's own session: nothing is asked. */
export async function isActorLive(
  store: Pick<SessionStore, 'findLive'>,
  { actor }: { readonly actor?: Actor },
  options: CallOptions,
): Promise<boolean> {
  if (actor === undefined) return true
  const live = (await store.findLive?.([actor.sessionId], options)) ?? []
  return live.some((own) => isOwnOf(own, actor))
}

/** Whether a live session is the actor's own. */
function isOwnOf(
  own: { readonly id: string; readonly userId: string | null; readonly actor?: Actor },
  actor: Actor,
): boolean {
  return own.id === actor.sessionId && own.userId === actor.userId && own.actor === undefined
}

/** Those of some live sessions whose actor's own session lives as well. Asks for nothing where all are users' own. */
export async function withLiveActors<Session extends { readonly actor?: Actor }>(
  store: Pick<SessionStore, 'findLive'>,
  sessions: readonly Session[],
): Promise<readonly Session[]> {
  const ids = sessions.flatMap(({ actor }) => (actor === undefined ? [] : [actor.sessionId]))
  if (ids.length === 0) return sessions
  const live = (await store.findLive?.([...new Set(ids)])) ?? []
  return sessions.filter(
    ({ actor }) => actor === undefined || live.some((own) => isOwnOf(own, actor)),
  )
}
