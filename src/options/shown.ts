/**
 * Shows a wrong value in a message: text and numbers as they are, anything else by its kind, since an
 * object may hold a password.
 */
export function shown(value: unknown): string {
  if (typeof value === 'string') {
    // An address may hold a password.
    if (value.includes('://')) return 'a URL'
    return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  }
  if (typeof value === 'number') return String(value)
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  return typeof value === 'function' ? 'a function' : String(value)
}
