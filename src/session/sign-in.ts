import { ConfigurationError } from '../errors.ts'
import { type Duration, parseDuration } from '../options/duration.ts'
import { type OptionTable, unchecked } from '../options/option.ts'
import { readOptions } from '../options/read-options.ts'
import { checkUserId } from '../store/user-id.ts'
import { type DeviceDescription, encodeDevice } from './device.ts'
import { type LifetimeChange, readLifetime, type SessionLifetime } from './session-lifetime.ts'
import type { SessionPolicy } from './session-policy.ts'
import { readTags } from './session-tags.ts'

/** What a sign-in can be told. */
export interface SignInOptions {
  /** How long this session lives, other than the settings say: "remember me". */
  readonly lifetime?: SessionLifetime | undefined
  /** What `listByUser` shows of the place where the user signs in: `{ label: 'Firefox on Windows' }`. */
  readonly device?: DeviceDescription | undefined
  /**
   * Names by which `sessions.listByTag` and `destroyByTag` find the session: `['oidc:<sid>']`. At most 16, of 1 to 255
   * characters. They replace those that the user's session had; without them, it keeps those.
   */
  readonly tags?: readonly string[] | undefined
  /**
   * The administrator who acts as the user: the `userId` of the session that this is called on. That session stays as it
   * is, and `endImpersonation` goes back to it.
   */
  readonly actor?: string | undefined
  /** With `actor`: how long at most. Defaults to `'1h'`; it ends no later than the administrator's own session. */
  readonly atMost?: Duration | undefined
}

/** A sign-in as the store is to carry it out. */
export interface SignIn {
  readonly userId: string
  /** The session's own; null for the settings' lifetime. */
  readonly lifetime: LifetimeChange | null
  /** As the store keeps it; null to leave what was noted. */
  readonly device: string | null
  /** Null to leave those that the session has. */
  readonly tags: readonly string[] | null
  /** Null for the user's own sign-in. */
  readonly acting: Acting | null
}

/** An administrator who is to act as a user. */
export interface Acting {
  readonly actor: string
  /** In milliseconds. */
  readonly atMost: number
}

const TABLE: OptionTable<SignInOptions> = {
  lifetime: unchecked('a lifetime'),
  device: unchecked('an object'),
  tags: unchecked('a list of strings'),
  actor: unchecked("a user's id"),
  atMost: unchecked('a duration'),
}

/** @throws {ConfigurationError} If it is not a user's id, or an option is unknown or wrong. */
export function readSignIn(
  policy: SessionPolicy,
  userId: unknown,
  options: SignInOptions | undefined,
): SignIn {
  checkUserId('signIn', userId)
  const read = readOptions('signIn', TABLE, options, { instead: ADVICE })
  const { lifetime, device, tags } = read
  return {
    userId,
    lifetime: lifetime === undefined ? null : readLifetime(policy, lifetime),
    device: device === undefined ? null : encodeDevice(device, policy.deviceAddress),
    tags: tags === undefined ? null : readTags(tags),
    acting: readActing(read),
  }
}

function readActing({ actor, atMost, lifetime }: SignInOptions): Acting | null {
  if (actor === undefined) {
    if (atMost === undefined) return null
    throw new ConfigurationError('atMost goes with actor. For a lifetime write lifetime: { … }.')
  }
  checkUserId('actor', actor)
  if (lifetime !== undefined) {
    throw new ConfigurationError("A session of an actor has no lifetime; write atMost: '1h'.")
  }
  return { actor, atMost: parseDuration('atMost', atMost ?? '1h') }
}

/** What to write instead of names that other libraries have. */
const ADVICE: Readonly<Record<string, string>> = {
  label: "Write device: { label: 'Firefox on Windows' }.",
  tag: "Write tags: ['tenant:7'].",
  impersonatedBy: 'Write actor: session.userId.',
  remember: "Write lifetime: { idleTimeout: '30d' }.",
  maxAge: "Write lifetime: { idleTimeout: '30d' }.",
  idleTimeout: "Write lifetime: { idleTimeout: '30d' }.",
  absoluteTimeout: "Write lifetime: { idleTimeout: '30d', absoluteTimeout: '90d' }.",
}
