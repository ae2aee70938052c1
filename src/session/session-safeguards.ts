import { type Duration, parseDuration } from '../options/duration.ts'
import { asked } from './caller-stack.ts'
import { isCsrfToken, makeCsrfToken } from './csrf-token.ts'
import { type DeviceDescription, encodeDevice } from './device.ts'
import { type ElevateOptions, readFactor } from './elevation.ts'
import type { DefaultData } from './session-data.ts'
import { SessionFacts } from './session-facts.ts'
import { stateOf } from './session-handle.ts'
import { checkTag } from './session-tags.ts'

/** The part of a session that guards what its user does. */
export class SessionSafeguards<Data extends object = DefaultData> extends SessionFacts<Data> {
  /**
   * Tells whether the user signed in at most this long ago, by the database's clock: ask before a change of
   * password, address or payment. False for an anonymous session. Loads the session if nothing has.
   *
   * @throws {ConfigurationError} The duration is wrong.
   * @throws {StoreUnavailableError} The store could not be asked.
   * @see OWASP ASVS 5.0, 7.5.1: full re-authentication before sensitive changes.
   * @example
   * ```ts
   * if (!(await session.authenticatedWithin('5m'))) res.redirect('/confirm-password')
   * ```
   */
  async authenticatedWithin(age: Duration): Promise<boolean> {
    const longest = parseDuration('authenticatedWithin', age)
    await asked(stateOf(this).load())
    return (stateOf(this).snapshot?.authenticationAge ?? Number.POSITIVE_INFINITY) <= longest
  }

  /**
   * Notes at once that the user has proved a second factor, by the database's clock, and gives the session a new token; the
   * old one is dead in the same statement. A later `signIn` forgets it.
   *
   * @throws {ConfigurationError} No user is signed in, an administrator acts as the user, or it is not a name.
   * @throws {SessionGoneError} Another request rotated or ended the session meanwhile. Nothing was noted.
   * @throws {StoreUnavailableError} The store did not answer.
   * @throws {ResponseStartedError} No cookie can be sent any more. Nothing was noted.
   * @throws {UnsupportedError} The store keeps no factors.
   * @see OWASP ASVS 5.0, 7.5.3, and 7.2.4: a new token at each authentication.
   * @example
   * ```ts
   * await session.elevate({ factor: 'totp' })
   * ```
   */
  async elevate(options: ElevateOptions): Promise<void> {
    const factor = readFactor(options)
    await asked(stateOf(this).elevate(factor))
  }

  /**
   * Tells whether the user proved a second factor at most this long ago, and since the sign-in, by the database's clock.
   * False for an anonymous session, and while an administrator acts as the user. Loads the session if nothing has.
   *
   * @throws {ConfigurationError} The duration is wrong.
   * @throws {StoreUnavailableError} The store could not be asked.
   * @example
   * ```ts
   * if (!(await session.elevatedWithin('10m'))) res.redirect('/confirm-code')
   * ```
   */
  async elevatedWithin(age: Duration): Promise<boolean> {
    const longest = parseDuration('elevatedWithin', age)
    await asked(stateOf(this).load())
    return (stateOf(this).snapshot?.elevationAge ?? Number.POSITIVE_INFINITY) <= longest
  }

  /**
   * Notes at once what `listByUser` shows of the place where the user is signed in: when people name a device,
   * say. Replaces what was noted, by `signIn` or before; null forgets it. At most 1024 bytes.
   *
   * @throws {ConfigurationError} It is not an object of plain members, or the session is not stored.
   * @throws {LimitExceededError} It takes too many bytes.
   * @throws {SessionGoneError} The session ended meanwhile.
   * @throws {UnsupportedError} The store keeps nothing of devices.
   * @example
   * ```ts
   * await session.describe({ label: 'Kitchen tablet' })
   * ```
   */
  async describe(device: DeviceDescription | null): Promise<void> {
    const { deviceAddress } = stateOf(this).context.policy
    const text = device === null ? null : encodeDevice(device, deviceAddress)
    await asked(stateOf(this).describe(text))
  }

  /**
   * Adds tags to the session at once: names by which `sessions.listByTag` and `destroyByTag` find it, such as the `sid`
   * of an identity provider, a tenant or an API key. They stay over new tokens, and end with the session. At most 16, of
   * 1 to 255 characters. Concurrent requests that add tags all keep theirs.
   *
   * @returns The session's tags.
   * @throws {ConfigurationError} It is not a tag, or the session is not stored. Pass `tags` to `signIn` there.
   * @throws {LimitExceededError} The session would have more than 16. None was added.
   * @throws {SessionGoneError} The session ended meanwhile.
   * @throws {UnsupportedError} The store keeps no tags.
   * @example
   * ```ts
   * await session.tag('tenant:7')
   * ```
   */
  async tag(...tags: readonly string[]): Promise<readonly string[]> {
    for (const tag of tags) checkTag('tag', tag)
    return asked(stateOf(this).tag({ added: tags }))
  }

  /** Takes tags from the session at once, as `tag` adds them. One that is not there is no error. */
  async untag(...tags: readonly string[]): Promise<readonly string[]> {
    for (const tag of tags) checkTag('untag', tag)
    return asked(stateOf(this).tag({ removed: tags }))
  }

  /**
   * Reads the session's tags: one round trip.
   *
   * @throws {ConfigurationError} The session is not stored.
   * @throws {SessionGoneError} The session ended meanwhile.
   */
  async tags(): Promise<readonly string[]> {
    return asked(stateOf(this).tag({}))
  }

  /**
   * Makes a token to put into a form, for `isCsrfToken` to check when the form comes back. It belongs to the
   * session's own token, and changes with it: at sign-in, `rotate`, `clear` and a renewal. Null for a visitor
   * without a stored session. `refuseCrossSite` of the adapters protects without tokens.
   *
   * @throws {StoreUnavailableError} The store could not be asked.
   * @example
   * ```ts
   * res.send(`<input type="hidden" name="csrf" value="${await session.csrfToken()}">`)
   * ```
   */
  async csrfToken(): Promise<string | null> {
    const token = await asked(stateOf(this).tokenToKeep())
    return token === null ? null : makeCsrfToken(token)
  }

  /**
   * Tells whether a form's token was made by `csrfToken` for the token that this request showed. Compares in
   * constant time.
   *
   * @throws {StoreUnavailableError} The store could not be asked.
   * @example
   * ```ts
   * if (!(await session.isCsrfToken(req.body.csrf))) res.sendStatus(403)
   * ```
   */
  async isCsrfToken(given: unknown): Promise<boolean> {
    const token = await asked(stateOf(this).shownToken())
    return token !== null && isCsrfToken(token, given)
  }
}
