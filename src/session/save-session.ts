import { createSession, replaceSession } from './begin-session.ts'
import { changeSession } from './change-session.ts'
import type { CurrentSession } from './current-session.ts'
import { destroySession } from './destroy-session.ts'
import type { Save } from './save.ts'

/**
 * Brings one request's changes to the store: begins, changes, replaces or ends its session.
 *
 * @throws {SessionGoneError} The session ended, or passed to another user, meanwhile.
 */
export function saveSession(current: CurrentSession, save: Save): Promise<void> {
  const { changes, signIn } = save
  const { snapshot } = current
  const begins = signIn !== null || changes.writes
  if (current.orphan !== null && (begins || changes.end !== 'no')) {
    return leaveOrphan(current, current.orphan, begins, save)
  }
  if (snapshot === null) {
    if (changes.end === 'destroy' && current.token !== null) current.tell({ kind: 'ended' })
    return begins ? createSession(current, save) : NOTHING_TO_DO
  }
  if (changes.end === 'no') return changeSession(current, snapshot, save)
  if (changes.end === 'destroy' && !begins) return destroySession(current, snapshot, save)
  return replaceSession(current, snapshot, save)
}

const NOTHING_TO_DO: Promise<void> = Promise.resolve()

/** Ends a session whose user is gone. */
async function leaveOrphan(
  current: CurrentSession,
  orphan: NonNullable<CurrentSession['orphan']>,
  begins: boolean,
  save: Save,
): Promise<void> {
  await (begins ? replaceSession(current, orphan, save) : destroySession(current, orphan, save))
  current.orphan = null
}
