import { SessionGoneError, StoreUnavailableError } from '../errors.ts'
import type { Deadline } from '../store/deadline.ts'
import { saveChange } from './change-session.ts'
import { ChangeSet } from './change-set.ts'
import type { CurrentSession } from './current-session.ts'
import { nextToken } from './next-token.ts'
import { openSealedToken } from './sealed-token.ts'
import type { SessionSnapshot } from './session-snapshot.ts'

/**
 * Renews the session's token if that is due. Never fails: the token that the client has goes on working, and
 * the next request tries again.
 */
export async function renewIfDue(current: CurrentSession, deadline: Deadline): Promise<void> {
  const { snapshot } = current
  if (snapshot === null || !current.isRenewable(snapshot)) return
  if (snapshot.lostSuccessor !== null) return sendAgain(current, snapshot, snapshot.lostSuccessor)
  const save = { changes: new ChangeSet(), signIn: null, factor: null, mayRenew: true, deadline }
  try {
    await saveChange(current, snapshot, nextToken(current, snapshot, save), save)
  } catch (error) {
    const isTold = error instanceof SessionGoneError || error instanceof StoreUnavailableError
    if (isTold) return
    current.context.policy.log.warn({ err: error }, 'a session token could not be renewed')
  }
}

/** The response with the successor of this request's token got lost: sends the same one again. */
function sendAgain(current: CurrentSession, snapshot: SessionSnapshot, sealed: Uint8Array): void {
  const token = current.token === null ? null : openSealedToken(sealed, current.token)
  if (token === null) return
  const { remaining, isRemembered } = snapshot
  // The token that this request holds stays the one that it came with.
  current.tell({ kind: 'issued', token, remaining, isRemembered })
}
