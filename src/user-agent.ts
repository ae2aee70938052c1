/**
 * Names devices by what browsers say of themselves, with the package `bowser`.
 *
 * @module
 */
import Bowser from 'bowser'

/** Longer ones belong to no browser, and cost time. */
const LONGEST = 512

/** Of a program that is not a browser, the name is whatever it sent. */
const NAME = /^[\p{L}\p{N}][\p{L}\p{N} .+-]{0,39}$/u

/**
 * Makes a label for a list of devices, such as `Firefox on Windows`, of a request's `User-Agent`.
 *
 * A client may send anything as its `User-Agent`: a label helps a user to recognize a device, and proves nothing. It has
 * no version, so that it stays the same over updates.
 *
 * @returns Null if neither the program nor the system is known.
 * @example
 * ```ts
 * import { deviceLabel } from 'pg-sessions/user-agent'
 *
 * const label = deviceLabel(req.get('user-agent')) ?? 'Unknown device'
 * await req.session.signIn('ann', { device: { label } })
 * ```
 */
export function deviceLabel(userAgent: string | null | undefined): string | null {
  if (typeof userAgent !== 'string' || userAgent === '' || userAgent.length > LONGEST) return null
  const { browser, os } = Bowser.parse(userAgent)
  const [program, system] = [known(browser.name), known(os.name)]
  if (program === null) return system
  return system === null ? program : `${program} on ${system}`
}

function known(name: string | undefined): string | null {
  const trimmed = name?.trim() ?? ''
  return NAME.test(trimmed) ? trimmed : null
}
