import { InvalidValueError } from '../../errors.ts'
import type { SidSettings } from './settings.ts'

/**
 * Whom a session belongs to; undefined when nobody has said how to tell.
 *
 * @throws {InvalidValueError} The function gave something that is no user id.
 */
export function userOf(session: object, { userId }: SidSettings): string | null | undefined {
  if (!userId) return undefined
  const user: unknown = userId(session as Readonly<Record<string, unknown>>) ?? null
  if (user === null || isUserId(user)) return user
  throw new InvalidValueError(
    'userId',
    'gave what is no user id: give a string of 1 to 255 characters without NUL or lone surrogates, such as String(session.user.id), or null.',
  )
}

/** PostgreSQL's text holds neither NUL nor lone surrogates. */
function isUserId(userId: unknown): userId is string {
  if (typeof userId !== 'string' || userId.length === 0 || userId.length > 255) return false
  return userId.isWellFormed() && !userId.includes('\0')
}
