import { InvalidValueError } from '../../errors.ts'
import { passportUserId } from '../../import/passport-user.ts'
import type { HeldSession } from './held-session.ts'
import type { SidSettings } from './settings.ts'

/**
 * Tells whom a session belongs to, by the option `userId`; undefined leaves the user as it is.
 *
 * @throws {InvalidValueError} If the option's function returns something that is not a user id.
 */
export function userOf(
  session: object,
  { userId }: SidSettings,
  held: HeldSession | null,
): string | null | undefined {
  if (!userId) return passportChange(session, held)
  const user: unknown = userId(session as Readonly<Record<string, unknown>>) ?? null
  if (user === null || isUserId(user)) return user
  throw new InvalidValueError(
    'userId',
    'returned something that is not a user id: return a string of 1 to 255 characters without NUL or lone surrogates, such as String(session.user.id), or null.',
  )
}

/**
 * What Passport's logins and logouts say. Only a change of theirs counts, so that a session which the application
 * signed in to natively keeps its user.
 */
function passportChange(session: object, held: HeldSession | null): string | null | undefined {
  const now = passportUserId(session)
  const stored = held?.texts.get('passport')
  const before = stored === undefined ? null : passportUserId({ passport: JSON.parse(stored) })
  const owner = held?.snapshot?.summary.userId ?? null
  if (now !== null) return now !== before || owner === null ? now : undefined
  return before !== null && before === owner ? null : undefined
}

/** PostgreSQL's text holds neither NUL nor lone surrogates. */
function isUserId(userId: unknown): userId is string {
  if (typeof userId !== 'string' || userId.length === 0 || userId.length > 255) return false
  return userId.isWellFormed() && !userId.includes('\0')
}
