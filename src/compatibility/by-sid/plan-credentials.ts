import type { SessionPolicy } from '../../session/session-policy.ts'
import type { SessionSnapshot } from '../../session/session-snapshot.ts'
import type { CredentialChange } from '../../store/session-store.ts'
import type { SessionContent } from './session-content.ts'

/** Whether the middleware says that the session is over. */
export function hasEnded({ terms }: SessionContent): boolean {
  return terms.expiresIn !== null && terms.expiresIn <= 0
}

/** A user or lifetime to change. The sid stays, so a sign-in replaces the secret by itself. */
export function planCredentials(
  policy: SessionPolicy,
  { summary, secretHashes, storeClock }: SessionSnapshot,
  { terms, userId }: SessionContent,
): CredentialChange | undefined {
  const { ownIdleTimeout = summary.ownIdleTimeout } = terms
  if (userId !== undefined && userId !== null && userId !== summary.userId) {
    const [to] = secretHashes as [Uint8Array]
    return {
      token: { from: secretHashes, to },
      signIn: { userId },
      ownIdleTimeout,
      absoluteExpiresAt: storeClock + policy.absoluteTimeout,
    }
  }
  return ownIdleTimeout === summary.ownIdleTimeout ? undefined : { ownIdleTimeout }
}
