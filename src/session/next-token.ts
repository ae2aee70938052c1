import type { CurrentSession } from './current-session.ts'
import type { Save } from './save.ts'
import type { NextToken } from './save-plan.ts'
import { sealToken } from './sealed-token.ts'
import type { SessionSnapshot } from './session-snapshot.ts'

/** A new token when one is asked for, without a grace, or when a renewal is due. */
export function nextToken(
  current: CurrentSession,
  snapshot: SessionSnapshot,
  { changes, signIn, factor, mayRenew }: Save,
): NextToken | null {
  const { tokens, policy } = current.context
  if (changes.rotate || signIn !== null || factor !== null) {
    const token = tokens.reissue(snapshot.id)
    current.refuseIfTooLate('Rotating the token')
    return { ...token, grace: null }
  }
  if (!mayRenew || !snapshot.isRenewalDue || !current.isRenewable(snapshot)) return null
  const token = tokens.reissue(snapshot.id)
  if (snapshot.isRotationDue || current.token === null) return { ...token, grace: null }
  const { duration } = policy.renewal.grace
  return { ...token, grace: { duration, successor: sealToken(token.token, current.token) } }
}
