import { type DeviceDescription, decodeDevice } from './session/device.ts'
import type { SessionSummary } from './store/session-store.ts'

/** What a list of sessions tells of each: nothing in it lets anybody in. */
export interface SessionInfo {
  /** The public id, for `destroyById`. */
  readonly id: string
  readonly userId: string | null
  readonly createdAt: Date
  readonly authenticatedAt: Date | null
  /** The last access that was noted; it may lag by the touch interval. */
  readonly lastAccessAt: Date
  readonly expiresAt: Date
  /** What the sign-in said of its device; null if nothing. */
  readonly device: DeviceDescription | null
  /** The administrator who acts as the user in it; null in the user's own. */
  readonly actor: string | null
  /** Its tags, in the order in which they were added. */
  readonly tags: readonly string[]
  /** Whether it is the session that `listByUser` was told as the current one. */
  readonly isCurrent: boolean
}

export function sessionInfo(summary: SessionSummary, currentId?: string | null): SessionInfo {
  const { id, userId, authenticatedAt } = summary
  return {
    id,
    userId,
    createdAt: new Date(summary.createdAt),
    authenticatedAt: authenticatedAt === null ? null : new Date(authenticatedAt),
    lastAccessAt: new Date(summary.lastAccessAt),
    expiresAt: new Date(summary.expiresAt),
    device: decodeDevice(summary.device),
    actor: summary.actor?.userId ?? null,
    tags: summary.tags ?? [],
    isCurrent: id === currentId,
  }
}
