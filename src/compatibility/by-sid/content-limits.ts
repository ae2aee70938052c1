import { LimitExceededError } from '../../errors.ts'
import type { SessionLimits } from '../../session/settings.ts'
import type { SessionTexts, TextChanges } from './session-texts.ts'

/**
 * Checks what a session would hold after these changes. Sizes are bytes of JSON.
 *
 * Only what changes is checked, and a session over a limit may always shrink, so that sessions from
 * before the limit stay usable.
 *
 * @throws {LimitExceededError} If a value, the session or its number of keys is over a limit.
 */
export function checkLimits(
  stored: SessionTexts,
  { written, deleted }: TextChanges,
  limits: Required<SessionLimits>,
): void {
  let growth = 0
  let added = -deleted.length
  for (const [key, text] of written) {
    const bytes = Buffer.byteLength(text)
    if (bytes > limits.valueBytes) {
      throw new LimitExceededError(
        `The value of ${JSON.stringify(key)} takes ${bytes} bytes; limits.valueBytes allows ${limits.valueBytes}. Keep large data in a table of its own and its key in the session.`,
      )
    }
    growth += sizeOf(key, text) - sizeOf(key, stored.get(key))
    if (!stored.has(key)) added += 1
  }
  for (const key of deleted) growth -= sizeOf(key, stored.get(key))
  const size = growth + [...stored].reduce((sum, [key, text]) => sum + sizeOf(key, text), 0)
  if (size > limits.sessionBytes && growth > 0) {
    throw new LimitExceededError(
      `The session would hold ${size} bytes; limits.sessionBytes allows ${limits.sessionBytes}. Nothing was saved.`,
    )
  }
  if (stored.size + added > limits.keys && added > 0) {
    throw new LimitExceededError(
      `The session would hold ${stored.size + added} keys; limits.keys allows ${limits.keys}. Nothing was saved.`,
    )
  }
}

function sizeOf(key: string, text: string | undefined): number {
  return text === undefined ? 0 : Buffer.byteLength(key) + Buffer.byteLength(text)
}
