import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import type {
  CredentialChange,
  Entry,
  Lifetime,
  LoadResult,
  NewSession,
  Precondition,
  SaveResult,
  SessionChange,
  SessionRecord,
  SessionStore,
  SessionTimes,
  TokenPrecondition,
} from '../../store/session-store.ts'

export const MINUTE = 60_000
export const HOUR: number = 60 * MINUTE
export const DAY: number = 24 * HOUR

/** What the tests use unless they are about lifetimes. */
export const lifetime: Lifetime = { idle: HOUR, purge: 2 * HOUR }

export function randomHash(): Uint8Array {
  return new Uint8Array(randomBytes(32))
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

export function entry(key: string, value: string): Entry {
  return { key: bytes(key), value: bytes(value) }
}

/** A new session: anonymous, empty, one hour idle, one day at most. */
export function sample(details: Partial<NewSession> = {}): NewSession {
  return {
    id: randomUUID(),
    secretHash: randomHash(),
    userId: null,
    lifetime,
    ownIdleTimeout: null,
    absolute: DAY,
    entries: [],
    ...details,
  }
}

/** A sample that the store holds, with the times it answered. */
export interface Begun extends NewSession {
  readonly times: SessionTimes
}

export async function begin(
  store: SessionStore,
  details: Partial<NewSession> = {},
): Promise<Begun> {
  const session = sample(details)
  const result = await store.create(session)
  assert.equal(result.status, 'created')
  return { ...session, times: result.times }
}

/** What the holder of a session's first token knows of it, before any sign-in. */
export function guardOf({
  id,
  userId,
  secretHash,
}: Pick<NewSession, 'id' | 'userId' | 'secretHash'>): TokenPrecondition {
  return { id, userId, secretHashes: [secretHash] }
}

/** A change of nothing, but for the details given. */
export function changeOf(
  { id, userId, version }: Precondition,
  details: Partial<SessionChange> = {},
): SessionChange {
  return { id, userId, version, lifetime, written: [], deleted: [], ...details }
}

/** A token to replace, with a new random one unless `to` is given. */
export function rotation(
  from: Uint8Array,
  to: Uint8Array = randomHash(),
): Required<Pick<CredentialChange, 'token'>> {
  return { token: { from: [from], to } }
}

export async function save(
  store: SessionStore,
  guard: Precondition,
  details: Partial<SessionChange> = {},
): Promise<Extract<SaveResult, { status: 'saved' }>> {
  const result = await store.save(changeOf(guard, details))
  assert.equal(result.status, 'saved')
  return result
}

/** The live record that a token opens. */
export async function recordOf(
  store: SessionStore,
  session: NewSession,
  secretHash: Uint8Array = session.secretHash,
): Promise<SessionRecord> {
  const result = await store.load({ id: session.id, secretHashes: [secretHash] })
  assert.equal(result.status, 'live')
  return result.record
}

/** How `load` answers a token. */
export async function statusOf(
  store: SessionStore,
  session: NewSession,
  secretHash: Uint8Array = session.secretHash,
): Promise<LoadResult['status']> {
  return (await store.load({ id: session.id, secretHashes: [secretHash] })).status
}

/** Entries as text, in an order of their own: stores need not keep one. */
export function textsOf(entries: readonly Entry[]): Record<string, string> {
  const decoder = new TextDecoder()
  return Object.fromEntries(entries.map((e) => [decoder.decode(e.key), decoder.decode(e.value)]))
}

export async function contentOf(
  store: SessionStore,
  session: NewSession,
  secretHash: Uint8Array = session.secretHash,
): Promise<Record<string, string>> {
  return textsOf((await recordOf(store, session, secretHash)).entries)
}

/** Calls `make` for 0 to `count` - 1 without waiting in between, and waits for all. */
export function inParallel<Result>(
  count: number,
  make: (index: number) => Promise<Result>,
): Promise<Result[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => make(index)))
}

/** Between two bounds, which it may equal. */
export function assertWithin(
  actual: number,
  [least, most]: readonly [number, number],
  what: string,
): void {
  assert.ok(actual >= least && actual <= most, `${what} is ${actual}, not ${least} to ${most}`)
}

/** Equal but for the rounding of a store whose clock is finer than a millisecond. */
export function assertClose(actual: number, expected: number, what: string): void {
  if (actual === expected) return
  assert.ok(Math.abs(actual - expected) <= 1, `${what} is ${actual}, not ${expected}`)
}
