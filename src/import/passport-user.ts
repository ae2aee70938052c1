/**
 * The user whom Passport has logged in to a session; null for none.
 *
 * Passport keeps what `serializeUser` gave as `session.passport.user`: an id, or an object with an `id`.
 */
export function passportUserId(session: object): string | null {
  const passport: unknown = Reflect.get(session, 'passport')
  const user = property(passport, 'user')
  return idOf(user) ?? idOf(property(user, 'id'))
}

function property(object: unknown, name: string): unknown {
  return typeof object === 'object' && object !== null ? Reflect.get(object, name) : undefined
}

function idOf(value: unknown): string | null {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : null
  if (typeof value !== 'string' || value === '' || value.length > 255) return null
  return value.isWellFormed() && !value.includes('\0') ? value : null
}
