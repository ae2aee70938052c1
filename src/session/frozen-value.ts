/**
 * Freezes a value with all that it holds, so that a change in place throws instead of being lost.
 *
 * Maps, sets, dates and typed arrays cannot be frozen; what maps and sets hold is.
 */
export function frozen(value: unknown): unknown {
  freeze(value, new Set())
  return value
}

function freeze(value: unknown, seen: Set<object>): void {
  if (typeof value !== 'object' || value === null || seen.has(value)) return
  seen.add(value)
  if (value instanceof Map) {
    for (const [key, held] of value) {
      freeze(key, seen)
      freeze(held, seen)
    }
  } else if (value instanceof Set) {
    for (const held of value) freeze(held, seen)
  } else if (!ArrayBuffer.isView(value)) {
    for (const held of Object.values(value)) freeze(held, seen)
    Object.freeze(value)
  }
}
