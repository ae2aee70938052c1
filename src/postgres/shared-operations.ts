import { timingSafeEqual } from 'node:crypto'
import type {
  CreateResult,
  Entry,
  LoadResult,
  NewSession,
  PresentedToken,
  SaveResult,
  SessionChange,
  SessionTimes,
  Touch,
} from '../store/session-store.ts'
import type { SharedOperation } from './batcher.ts'
import type { Row } from './driver.ts'
import { hex, hexArray, interval, plainArray, textArray } from './encoding.ts'
import { readId, readRecord, readState, readTimes } from './rows.ts'
import type { StoreStatements } from './statements.ts'

/**
 * The operations of the request path, each with a statement for one call and one for many.
 *
 * What a call writes is spread over arrays: element for element about the sessions, and again, each with
 * its session's id, about the entries.
 */

export function loadOperation(
  statements: StoreStatements,
): SharedOperation<PresentedToken, LoadResult> {
  return {
    repeatable: true,
    sessionOf: idOf,
    isExclusive: false,
    sizeOf: () => 0,
    one: (proof) => ({ ...statements.load, values: [proof.id] }),
    readOne: ([row], proof) => readLoad(row, proof),
    many: (proofs) => ({ ...statements.load_many, values: [plainArray(proofs.map(idOf))] }),
    readMany(rows, proofs) {
      const found = new Map(rows.map((row) => [readId(row), row]))
      return proofs.map((proof) => readLoad(found.get(proof.id), proof))
    },
  }
}

/** A session that was there already may be this very call's, whose first answer was lost. */
export type Created = CreateResult | { readonly status: 'present' }

export function createOperation(statements: StoreStatements): SharedOperation<NewSession, Created> {
  return {
    repeatable: true,
    sessionOf: idOf,
    isExclusive: true,
    sizeOf: ({ entries }) => sizeOfEntries(entries),
    one: (session) => ({ ...statements.create, values: newSessionValues(session) }),
    readOne: ([row]) => created(row && readTimes(row)),
    many: (sessions) => ({
      ...statements.create_many,
      values: [
        plainArray(sessions.map(idOf)),
        hexArray(sessions.map(({ secretHash }) => secretHash)),
        textArray(sessions.map(({ userId }) => userId)),
        plainArray(sessions.map(({ ownIdleTimeout }) => ownIdleTimeout?.toString() ?? null)),
        textArray(sessions.map(({ lifetime }) => interval(lifetime.idle))),
        textArray(sessions.map(({ absolute }) => interval(absolute))),
        ...entryArrays(sessions.map(({ id, entries }) => ({ id, written: entries }))),
      ],
    }),
    readMany(rows, sessions) {
      const times = timesById(rows)
      return sessions.map(({ id }) => created(times.get(id)))
    },
  }
}

export function saveOperation(
  statements: StoreStatements,
): SharedOperation<SessionChange, SaveResult> {
  return {
    repeatable: false,
    sessionOf: idOf,
    isExclusive: true,
    sizeOf: ({ written }) => sizeOfEntries(written),
    one: (change) =>
      change.isAccessNoted
        ? { ...statements.save_noted, values: [change.id, change.userId, ...entryValues(change)] }
        : { ...statements.save, values: changeValues(change) },
    readOne: ([row]) => saved(row && readTimes(row)),
    many: (changes) => ({
      ...statements.save_many,
      values: [
        plainArray(changes.map(idOf)),
        textArray(changes.map(({ userId }) => userId)),
        textArray(changes.map(({ lifetime }) => interval(lifetime.idle))),
        textArray(changes.map(({ lifetime }) => interval(lifetime.purge))),
        plainArray(changes.flatMap(({ id, deleted }) => deleted.map(() => id))),
        hexArray(changes.flatMap(({ deleted }) => deleted)),
        ...entryArrays(changes),
        plainArray(changes.map(({ isAccessNoted = false }) => String(isAccessNoted))),
      ],
    }),
    // A session that is missing from the answer is gone, or locked by somebody: alone it turns out.
    readMany(rows, changes) {
      const times = timesById(rows)
      return changes.map(({ id }) => {
        const known = times.get(id)
        return known === undefined ? null : saved(known)
      })
    },
  }
}

export function touchOperation(statements: StoreStatements): SharedOperation<Touch, 'touched'> {
  return {
    repeatable: true,
    sessionOf: idOf,
    isExclusive: true,
    sizeOf: () => 0,
    mayWait: ({ mayWait = false }) => mayWait,
    one: ({ id, lifetime, overlap }) => ({
      ...statements.touch,
      values: [id, interval(lifetime.idle), interval(lifetime.purge), interval(overlap)],
    }),
    readOne: () => 'touched',
    many: (touches) => ({
      ...statements.touch_many,
      values: [
        plainArray(touches.map(idOf)),
        textArray(touches.map(({ lifetime }) => interval(lifetime.idle))),
        textArray(touches.map(({ lifetime }) => interval(lifetime.purge))),
        textArray(touches.map(({ overlap }) => interval(overlap))),
      ],
    }),
    readMany: (_rows, touches) => touches.map(() => 'touched'),
  }
}

/** The parameters of a session that is to exist. */
export function newSessionValues(session: NewSession): (string | null)[] {
  return [
    session.id,
    hex(session.secretHash),
    session.userId,
    session.ownIdleTimeout?.toString() ?? null,
    interval(session.lifetime.idle),
    interval(session.absolute),
    hexArray(session.entries.map(({ key }) => key)),
    hexArray(session.entries.map(({ value }) => value)),
  ]
}

/** The parameters of a change, but for its credentials. */
export function changeValues(change: SessionChange): (string | null)[] {
  return [
    change.id,
    change.userId,
    interval(change.lifetime.idle),
    interval(change.lifetime.purge),
    ...entryValues(change),
  ]
}

function entryValues({ deleted, written }: SessionChange): string[] {
  return [
    hexArray(deleted),
    hexArray(written.map(({ key }) => key)),
    hexArray(written.map(({ value }) => value)),
  ]
}

function readLoad(row: Row | undefined, proof: PresentedToken): LoadResult {
  if (row === undefined) return { status: 'unknown' }
  const state = readState(row)
  const isCurrent = matches(proof, state.secretHash)
  if (!isCurrent && !matches(proof, state.previousHash)) return { status: 'unknown' }
  const { expiresAt, now } = state.times
  if (expiresAt <= now) return { status: 'expired', id: proof.id, userId: row.user_id ?? null }
  return { status: 'live', record: readRecord(row, state, !isCurrent) }
}

/** Compares in constant time, so that answers tell nothing about a hash. */
function matches(proof: PresentedToken, stored: Uint8Array | null): boolean {
  if (stored === null) return false
  return proof.secretHashes.some(
    (hash) => hash.length === stored.length && timingSafeEqual(hash, stored),
  )
}

function created(times: SessionTimes | undefined): Created {
  return times === undefined ? { status: 'present' } : { status: 'created', times }
}

function saved(times: SessionTimes | undefined): SaveResult {
  return times === undefined ? { status: 'gone' } : { status: 'saved', times, rotated: false }
}

function timesById(rows: readonly Row[]): Map<string, SessionTimes> {
  return new Map(rows.map((row) => [row.id as string, readTimes(row)]))
}

function entryArrays(
  sessions: readonly { readonly id: string; readonly written: SessionChange['written'] }[],
): string[] {
  return [
    plainArray(sessions.flatMap(({ id, written }) => written.map(() => id))),
    hexArray(sessions.flatMap(({ written }) => written.map(({ key }) => key))),
    hexArray(sessions.flatMap(({ written }) => written.map(({ value }) => value))),
  ]
}

function sizeOfEntries(entries: readonly Entry[]): number {
  return entries.reduce((sum, { key, value }) => sum + key.length + value.length, 0)
}

function idOf({ id }: { readonly id: string }): string {
  return id
}
