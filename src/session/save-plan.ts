import type { Codec } from '../codec/codec.ts'
import type {
  CredentialChange,
  Entry,
  Grace,
  NewSession,
  SessionChange,
} from '../store/session-store.ts'
import type { ChangeSet } from './change-set.ts'
import type { LifetimeChange } from './session-lifetime.ts'
import type { SessionPolicy } from './session-policy.ts'
import type { SessionSnapshot } from './session-snapshot.ts'
import type { SignIn } from './sign-in.ts'
import type { IssuedToken } from './token.ts'

/** Turns what a handler asked for into what a store is to do. Decides nothing and sends no query. */

/** A session that is to begin with what the change set holds. */
export function planNewSession(
  policy: SessionPolicy,
  codec: Codec,
  token: IssuedToken,
  changes: ChangeSet,
  signIn: SignIn | null,
): NewSession {
  const own = lifetimeOf(changes, signIn)
  const ownIdleTimeout = own?.idleTimeout ?? null
  const idle = ownIdleTimeout ?? policy.idleTimeout
  return {
    id: token.id,
    secretHash: token.secretHash,
    userId: signIn?.userId ?? null,
    lifetime: { idle, purge: idle },
    ownIdleTimeout,
    absolute: own?.absoluteTimeout ?? policy.absoluteTimeout,
    entries: encodeWritten(codec, changes),
  }
}

/** Another token for a session. The old one works on only when there is a grace. */
export interface NextToken extends IssuedToken {
  readonly grace: Grace | null
}

/** A change to the session that is known. */
export function planChange(
  policy: SessionPolicy,
  codec: Codec,
  known: SessionSnapshot,
  token: NextToken | null,
  changes: ChangeSet,
  signIn: SignIn | null,
): SessionChange {
  const own = lifetimeOf(changes, signIn)
  const idle = own?.idleTimeout ?? (signIn === null ? known.idleTimeout : policy.idleTimeout)
  const credentials = token === null ? {} : { credentials: planCredentials(token) }
  return {
    ...known.guard,
    written: encodeWritten(codec, changes),
    deleted: encodeDeleted(codec, changes),
    ...credentials,
    lifetime: known.lifetime(idle),
    isAccessNoted: !known.isTouchDue,
  }

  function planCredentials({ secretHash: to, grace }: NextToken): CredentialChange {
    const { idleTimeout, absoluteTimeout } = own ?? {}
    const from = known.secretHashes
    const replaced = grace === null ? { from, to } : { from, to, grace }
    if (signIn !== null) {
      return {
        token: replaced,
        signIn: { userId: signIn.userId },
        ownIdleTimeout: idleTimeout ?? null,
        absoluteExpiresAt: known.storeClock + (absoluteTimeout ?? policy.absoluteTimeout),
      }
    }
    const since = known.summary.authenticatedAt ?? known.summary.createdAt
    return {
      token: replaced,
      ...(idleTimeout === undefined ? {} : { ownIdleTimeout: idleTimeout }),
      ...(absoluteTimeout === undefined ? {} : { absoluteExpiresAt: since + absoluteTimeout }),
    }
  }
}

/** The lifetime that comes with a sign-in goes before one that was set. */
function lifetimeOf(changes: ChangeSet, signIn: SignIn | null): LifetimeChange | null {
  return signIn?.lifetime ?? changes.lifetime
}

function encodeWritten(codec: Codec, changes: ChangeSet): Entry[] {
  const written: Entry[] = []
  for (const [key, value] of changes.entries()) {
    if (value !== null) written.push({ key: codec.encodeKey(key), value: value.bytes })
  }
  return written
}

function encodeDeleted(codec: Codec, changes: ChangeSet): Uint8Array[] {
  const deleted: Uint8Array[] = []
  for (const [key, value] of changes.entries()) {
    if (value === null) deleted.push(codec.encodeKey(key))
  }
  return deleted
}
