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
    `${method} takes a user id: a string of 1 to 255 characters without NUL or lone surrogates. ${adviceOn(userId)}`.trimEnd(),
  )
}

function adviceOn(given: unknown): string {
  if (typeof given === 'string') return ''
  if (typeof given === 'number' || typeof given === 'bigint') {
    return `It was given a ${typeof given}: write String(user.id).`
  }
  if (given === undefined || given === null) {
    return `It was given ${given}: look the user up, and await that, before.`
  }
  if (given instanceof Promise) return 'It was given a promise: await it.'
  return `It was given a value of the type ${typeof given}: write what names the user in it, such as String(user.id).`
}
