import type { InspectedSession, SessionStore, SessionSummary } from '../store/session-store.ts'

/** Finds a user's sessions in any store. */
export async function inspectedUser(
  store: SessionStore,
  userId: string,
): Promise<readonly InspectedSession[]> {
  return (await store.listByUser(userId)).map(inspected)
}

/** Finds a live session in any store that can be watched, by way of its user. */
export async function inspectedSession(
  store: SessionStore,
  id: string,
): Promise<InspectedSession | null> {
  const [live] = (await store.findLive?.([id])) ?? []
  if (live?.userId == null) return null
  const summaries = await store.listByUser(live.userId)
  const summary = summaries.find((each) => each.id === id)
  return summary === undefined ? null : inspected(summary)
}

function inspected(summary: SessionSummary): InspectedSession {
  const { id, userId, createdAt, authenticatedAt, lastAccessAt, expiresAt, absoluteExpiresAt } =
    summary
  const { device } = summary
  return {
    ...(device === undefined ? {} : { device }),
    id,
    userId,
    createdAt,
    authenticatedAt,
    lastAccessAt,
    expiresAt,
    absoluteExpiresAt,
    isLive: true,
  }
}
