import { ConfigurationError } from '../errors.ts'

/** Whether a value can be a user's id: PostgreSQL's text holds neither NUL nor lone surrogates. */
export function isUserId(userId: unknown): userId is string {
  if (typeof userId !== 'string' || userId.length === 0 || userId.length > 255) return false
  return userId.isWellFormed() && !userId.includes('\0')
}

/**
 * Refuses what no user can be, such as the `undefined` of a user who was not found, before a store takes it
 * for a user without sessions.
 *
 * @throws {ConfigurationError} If it is not a user's id.
 */
export function checkUserId(method: string, userId: unknown): asserts userId is string {
  if (isUserId(userId)) return
  throw new ConfigurationError(
    `${method} takes a user id: a string of 1 to 255 characters without NUL or lone surrogates.`,
  )
}
