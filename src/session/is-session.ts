import type { Session } from './session.ts'
import { BRAND } from './session-handle.ts'

/** Whether a value is a session of this package, or of another copy of it. */
export function isSession(value: unknown): value is Session<object> {
  return typeof value === 'object' && value !== null && BRAND in value
}
