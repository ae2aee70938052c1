import { ConfigurationError, SessionGoneError, UnsupportedError } from '../errors.ts'
import type { Deadline } from '../store/deadline.ts'
import type { SessionStore } from '../store/session-store.ts'
import type { SessionContext } from './session-context.ts'
import type { SessionSnapshot } from './session-snapshot.ts'

/** @throws {UnsupportedError} The store keeps nothing of devices. */
export function refuseWithoutDevices(store: Pick<SessionStore, 'name' | 'describe'>): void {
  if (store.describe !== undefined) return
  throw new UnsupportedError(
    `The store '${store.name}' has no place for devices. Leave out device, and keep it in a table of yours.`,
  )
}

/**
 * Notes what is said of a session's device.
 *
 * @param device - JSON; null to forget what was noted.
 * @throws {ConfigurationError} There is no stored session.
 * @throws {SessionGoneError} The session ended, or passed to another user, meanwhile.
 */
export async function describeSession(
  { store }: SessionContext,
  snapshot: SessionSnapshot | null,
  device: string | null,
  deadline: Deadline,
): Promise<void> {
  refuseWithoutDevices(store)
  if (snapshot === null) {
    throw new ConfigurationError(
      'describe needs a stored session, and this visitor has none. Sign in first, or pass device to signIn.',
    )
  }
  const result = await store.describe?.({ ...snapshot.guard, device }, { deadline })
  if (result?.status !== 'described') throw new SessionGoneError(snapshot.id)
}

/** Does so after a sign-in, which has succeeded whatever becomes of this: a failure is logged. */
export async function describeSignedIn(
  context: SessionContext,
  snapshot: SessionSnapshot | null,
  device: string | null,
  deadline: Deadline,
): Promise<void> {
  if (device === null) return
  try {
    await describeSession(context, snapshot, device, deadline)
  } catch (error) {
    context.policy.log.warn({ err: error }, 'the device of a sign-in could not be noted')
  }
}
