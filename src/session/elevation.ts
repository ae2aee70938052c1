import { ConfigurationError, UnsupportedError } from '../errors.ts'
import { type OptionTable, unchecked } from '../options/option.ts'
import { readOptions } from '../options/read-options.ts'
import type { SessionStore } from '../store/session-store.ts'
import { isUserId } from '../store/user-id.ts'
import type { SessionSnapshot } from './session-snapshot.ts'

/** What `elevate` is told. */
export interface ElevateOptions {
  /** The second factor that the user has proved, as your application names it: `'totp'`, `'passkey'`. */
  readonly factor: string
}

const TABLE: OptionTable<Partial<ElevateOptions>> = { factor: unchecked('a name') }

/** @throws {ConfigurationError} It is not the name of a factor. */
export function readFactor(options: ElevateOptions): string {
  const { factor } = readOptions('elevate', TABLE, options)
  // What a user's id can be, a factor's name can be.
  if (isUserId(factor)) return factor
  throw new ConfigurationError(
    "elevate takes the name of a factor: { factor: 'totp' }, 1 to 255 characters without NUL or lone surrogates.",
  )
}

/**
 * @throws {ConfigurationError} No user is signed in, or an administrator acts as the user.
 * @throws {UnsupportedError} The store keeps no factors.
 */
export function refuseElevation(
  store: Pick<SessionStore, 'name' | 'keepsFactors'>,
  snapshot: SessionSnapshot | null,
): void {
  if (store.keepsFactors !== true) {
    throw new UnsupportedError(`The store '${store.name}' keeps no second factors.`)
  }
  const { userId = null, actor } = snapshot?.summary ?? {}
  if (userId === null) {
    throw new ConfigurationError('elevate needs a signed-in user. Call session.signIn first.')
  }
  if (actor === undefined) return
  throw new ConfigurationError(
    'An administrator who acts as a user proves no factor of theirs. Call endImpersonation first.',
  )
}
