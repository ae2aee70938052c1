import { ConfigurationError } from '../errors.ts'
import type { Duration } from '../options/duration.ts'
import { callback, duration, type OptionTable } from '../options/option.ts'
import { readOptions } from '../options/read-options.ts'

/**
 * Who asks: the name of an administrator, which the log of what they do shows. Anything else that says no gives 403
 * and no page. A `Response` is sent instead, such as a redirect to where administrators sign in.
 */
export type AdminDecision = string | false | null | undefined | Response

/** A value that the page may show, or not. */
export interface AdminValue {
  readonly key: string
  readonly sessionId: string
  readonly userId: string | null
  /** Who asks, as `authorize` said. */
  readonly actor: string
}

/** Options of {@link adminPage}. `Request` and what follows are what the page is called with. */
export interface AdminPageOptions<Call extends readonly unknown[] = readonly [Request]> {
  /**
   * Decides for each request whether its sender is an administrator, and gives their name. There is no default:
   * the page shows and ends the sessions of all users.
   */
  readonly authorize: (...call: Call) => AdminDecision | Promise<AdminDecision>
  /** Whether to show the value of a key. What is shown is logged. By default only names of keys are shown. */
  readonly showValue?: ((value: AdminValue) => boolean) | undefined
  /**
   * How often this process notes the number of live sessions and the purge backlog, for the plots of the last
   * 288 of them: a day by default. `'never'` notes them only when the page is looked at. Defaults to `'5m'`.
   */
  readonly historyInterval?: Duration | 'never' | undefined
}

/** The options as `readOptions` gives them. */
export interface AdminSettings {
  readonly authorize: ((...call: readonly never[]) => unknown) | undefined
  readonly showValue: (value: AdminValue) => boolean
  /** Milliseconds. */
  readonly historyInterval: number
}

export const adminOptions: OptionTable<AdminSettings> = {
  authorize: callback<(...call: readonly never[]) => unknown, undefined>(
    '(request) => isAdministrator(request) && nameOf(request)',
    undefined,
  ),
  showValue: callback<(value: AdminValue) => boolean, (value: AdminValue) => boolean>(
    "({ key }) => key === 'basket'",
    () => false,
  ),
  historyInterval: duration('5m', { never: Number.POSITIVE_INFINITY }),
}

/** @throws {ConfigurationError} An option is wrong, or `authorize` is missing. */
export function readAdminOptions(
  maker: string,
  options: unknown,
): AdminSettings & { readonly authorize: (...call: readonly never[]) => unknown } {
  const { authorize, ...settings } = readOptions(maker, adminOptions, options)
  if (authorize !== undefined) return { authorize, ...settings }
  throw new ConfigurationError(
    `${maker} needs authorize, a function that says who is an administrator: it shows and ends the sessions of all users. Write ${maker}(sessions, { authorize: (request) => isAdministrator(request) && nameOf(request) }).`,
  )
}
