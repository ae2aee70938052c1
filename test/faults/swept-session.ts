import { randomBytes, randomUUID } from 'node:crypto'
import type { PostgresStore } from 'pg-sessions'
import type { NewSession, SessionStore } from 'pg-sessions/store'
import { bytes, entry, sample } from '../../src/testing/store-contract/samples.ts'
import type { RunTransaction } from './swept-drivers.ts'

/** A store that may take part in a transaction of the application's. */
export type SweptStore = SessionStore & Partial<Pick<PostgresStore, 'inTransaction'>>

/** A call on one of the sessions that are there before. */
type SweptCall = (
  store: SweptStore,
  session: SweptSession,
  transaction: RunTransaction,
) => Promise<unknown>

/** A session that is there, and one that a call may begin. */
export interface SweptSession extends NewSession {
  /** What a change of token puts in the place of the session's own. */
  readonly nextHash: Uint8Array
  readonly fresh: NewSession
}

/** What a call is about, and what it does. */
export interface SweptOperation {
  readonly call: SweptCall
  /** What is there before; only the session unless told otherwise. */
  readonly begin?: SweptCall
  /** Whether it changes nothing, so that a lost answer leaves nothing in doubt. */
  readonly reads?: true
  /** Whether it ends its session, so that sockets elsewhere are told. */
  readonly ends?: true
  /** Whether several of them share a statement. */
  readonly shares?: true
  /** Whether the application's transaction does it, which has no deadline of the store's. */
  readonly isTheirs?: true
  /** Whether the user's row is read with the session. */
  readonly joinsUser?: true
}

/** The answer to an ending of which an earlier attempt may have got through. */
export const IN_DOUBT = 'in doubt'

const LARGE = 'x'.repeat(20_000)
const entries = [entry('a', '1'), entry('b', '2'), entry('large', LARGE)]

/** The same session each time, but for its id and user: signed in, with three entries. */
export function sweptSession(): SweptSession {
  const userId = `user ${randomUUID()}`
  return {
    ...sample({
      userId,
      secretHash: new Uint8Array(32).fill(1),
      entries,
      tags: [`of ${userId}`],
    }),
    nextHash: new Uint8Array(32).fill(2),
    fresh: sample({ secretHash: new Uint8Array(32).fill(2), entries: [entry('c', '3')] }),
  }
}

/** The same in the tables of wai-session-postgresql, which know no user and give the id. */
export function sweptWaiSession(): SweptSession {
  const key = (): Uint8Array => bytes(randomBytes(24).toString('hex'))
  const details = { id: '', absolute: Number.POSITIVE_INFINITY }
  return {
    ...sample({ ...details, secretHash: key(), entries }),
    nextHash: key(),
    fresh: sample({ ...details, secretHash: key(), entries: [entry('c', '3')] }),
  }
}

export function statusOf({ status }: { readonly status: string }): string {
  return status
}
