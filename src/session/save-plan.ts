import type { Codec } from '../codec/codec.ts'
import type {
  CredentialChange,
  Entry,
  Grace,
  NewSession,
  SessionChange,
} from '../store/session-store.ts'
import type { ChangeSet } from './change-set.ts'
import type { Save } from './save.ts'
import type { SessionContext } from './session-context.ts'
import type { LifetimeChange } from './session-lifetime.ts'
import type { SessionPolicy } from './session-policy.ts'
import type { SessionSnapshot } from './session-snapshot.ts'
import type { SignIn } from './sign-in.ts'
import type { IssuedToken } from './token.ts'

/** Turns what a handler asked for into calls of a store. Decides nothing and sends no query. */

/** A new session with what the change set holds. */
export function planNewSession(
  { policy, codec }: SessionContext,
  token: IssuedToken,
  { changes, signIn }: Save,
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
    ...detailsOf(policy, signIn),
  }
}

/** Another token for a session. The old one works on only when there is a grace. */
export interface NextToken extends IssuedToken {
  readonly grace: Grace | null
}

/** A change to a stored session. */
export function planChange(
  { policy, codec }: SessionContext,
  snapshot: SessionSnapshot,
  token: NextToken | null,
  { changes, signIn, factor }: Save,
): SessionChange {
  const own = lifetimeOf(changes, signIn)
  const idle = own?.idleTimeout ?? (signIn === null ? snapshot.idleTimeout : policy.idleTimeout)
  const { id, userId, version } = snapshot.summary
  const written = encodeWritten(codec, changes)
  const deleted = encodeDeleted(codec, changes)
  const lifetime = snapshot.lifetime(idle)
  const { isTouchDue } = snapshot
  const change = { id, userId, version, written, deleted, lifetime, isTouchDue }
  return token === null ? change : { ...change, credentials: planCredentials(token) }

  function planCredentials({ secretHash: to, grace }: NextToken): CredentialChange {
    const { idleTimeout, absoluteTimeout } = own ?? {}
    const from = snapshot.secretHashes
    const replaced = grace === null ? { from, to } : { from, to, grace }
    if (signIn !== null) {
      return {
        token: replaced,
        signIn: {
          userId: signIn.userId,
          ...detailsOf(policy, signIn),
        },
        ownIdleTimeout: idleTimeout ?? null,
        absoluteExpiresAt: snapshot.storeClock + (absoluteTimeout ?? policy.absoluteTimeout),
      }
    }
    const since = snapshot.summary.authenticatedAt ?? snapshot.summary.createdAt
    return {
      token: replaced,
      ...(factor === null ? {} : { factor }),
      ...(idleTimeout === undefined ? {} : { ownIdleTimeout: idleTimeout }),
      ...(absoluteTimeout === undefined ? {} : { absoluteExpiresAt: since + absoluteTimeout }),
    }
  }
}

/** What a store is told of a sign-in beside its user. */
function detailsOf(
  { maxPerUser: cap }: SessionPolicy,
  signIn: SignIn | null,
): Pick<NewSession, 'tags' | 'cap'> {
  if (signIn === null) return {}
  return {
    ...(signIn.tags === null ? {} : { tags: signIn.tags }),
    ...(cap === undefined ? {} : { cap }),
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
