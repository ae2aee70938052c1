import { rootPath } from '../codec/value-path.ts'
import { ConfigurationError, LimitExceededError, SessionGoneError } from '../errors.ts'
import { assertBytes } from '../store/assert-bytes.ts'
import type { Deadline } from '../store/deadline.ts'
import { checkKeySize } from '../store/key-limit.ts'
import { ChangeSet } from './change-set.ts'
import { EntryValue } from './entry-value.ts'
import type { SessionContext } from './session-context.ts'
import type { SessionSnapshot } from './session-snapshot.ts'
import type { SessionState } from './session-state.ts'

/**
 * Encodes a value under its key.
 *
 * @throws {InvalidValueError} It does not fit the schema of its key.
 * @throws {LimitExceededError} It is larger than the settings allow.
 */
export function encodeEntry(context: SessionContext, key: string, value: unknown): EntryValue {
  context.data?.check(key, value)
  const keyBytes = context.codec.encodeKey(key)
  assertBytes(keyBytes)
  checkKeySize(rootPath(key), keyBytes)
  const bytes = context.codec.encode(value, rootPath(key))
  assertBytes(bytes)
  const { valueBytes } = context.policy.limits
  if (bytes.length > valueBytes) {
    throw new LimitExceededError(
      `The value of ${rootPath(key)} takes ${bytes.length} bytes; limits.valueBytes allows ${valueBytes}. Keep large data in a table of its own and its key in the session.`,
    )
  }
  return new EntryValue(bytes, keyBytes.length)
}

/**
 * Replaces one value by what `change` makes of it, at once and atomically against other requests.
 *
 * `change` runs outside of the session's turn, so that it may use the session itself.
 */
export async function updateEntry(
  state: SessionState,
  key: string,
  change: (current: unknown) => unknown,
): Promise<void> {
  if (typeof change !== 'function') {
    throw new ConfigurationError(
      `session.update takes a function that makes the new value of the current one: session.update('visits', (visits = 0) => visits + 1). To store a value as it is, write session.set.`,
    )
  }
  state.values.checkKey(key)
  const deadline = state.context.deadline()
  await state.load(deadline)
  if (state.hasPending(key)) await state.save(deadline)
  for (;;) {
    const snapshot = state.snapshot
    if (snapshot !== null) {
      return state.context.updates.run(snapshot.guard, key, deadline, (latest) =>
        compareAndSet(state, snapshot, key, change, latest, deadline),
      )
    }
    const next = await changed(state, key, change, undefined)
    if (state.hasPending(key)) await state.save(deadline)
    else if (state.snapshot === null) return setFirst(state, key, next, deadline)
  }
}

/** @throws {InvalidValueError} In development, if `change` has changed the value and does not return it. */
async function changed(
  { context }: SessionState,
  key: string,
  change: (current: unknown) => unknown,
  value: unknown,
): Promise<unknown> {
  const onNothing = context.forgottenReturns?.watch(key, value)
  const next = await change(value)
  if (next === undefined) onNothing?.()
  return next
}

/** Begins a session with what an update of nothing has made. */
async function setFirst(
  state: SessionState,
  key: string,
  next: unknown,
  deadline: Deadline,
): Promise<void> {
  if (next === undefined) return
  state.set(key, encodeEntry(state.context, key, next))
  await state.save(deadline)
}

async function compareAndSet(
  state: SessionState,
  snapshot: SessionSnapshot,
  key: string,
  change: (current: unknown) => unknown,
  latest: Uint8Array | null | undefined,
  deadline: Deadline,
): Promise<Uint8Array | null> {
  const { store, codec, policy } = state.context
  const keyBytes = codec.encodeKey(key)
  if (latest === undefined) await state.fetch([key], deadline)
  let expected = latest === undefined ? (snapshot.entries.get(key)?.bytes ?? null) : latest
  for (;;) {
    const current = expected === null ? null : new EntryValue(expected, keyBytes.length)
    const value = current === null ? undefined : state.values.decode(key, current)?.value
    const next = await changed(state, key, change, value)
    const entry = next === undefined ? null : encodeEntry(state.context, key, next)
    snapshot.entries.checkLimits(changeOfOne(key, entry), policy.limits)
    const update = { ...snapshot.guard, lifetime: snapshot.lifetime(), key: keyBytes, expected }
    const result = await store.update({ ...update, value: entry?.bytes ?? null }, { deadline })
    if (result.status === 'gone') throw new SessionGoneError(snapshot.id)
    if (result.status === 'updated') {
      snapshot.entries.keep(key, entry)
      return entry?.bytes ?? null
    }
    expected = result.current
  }
}

/** Removes one value at once and gives it to this caller alone. */
export async function takeEntry(state: SessionState, key: string): Promise<unknown> {
  state.values.checkKey(key)
  const deadline = state.context.deadline()
  await state.load(deadline)
  const snapshot = state.snapshot
  if (snapshot === null || state.hasPending(key)) {
    const found = state.values.copy(key)
    state.delete(key)
    return found?.value
  }
  if (!snapshot.entries.has(key)) return undefined
  const { store, codec } = state.context
  const keyBytes = codec.encodeKey(key)
  const result = await store.take(
    { ...snapshot.guard, lifetime: snapshot.lifetime(), key: keyBytes },
    { deadline },
  )
  if (result.status === 'gone') throw new SessionGoneError(snapshot.id)
  snapshot.entries.keep(key, null)
  if (result.value === null) return undefined
  return state.values.decode(key, new EntryValue(result.value, keyBytes.length))?.value
}

function changeOfOne(key: string, entry: EntryValue | null): ChangeSet {
  const changes = new ChangeSet()
  if (entry === null) changes.delete(key)
  else changes.set(key, entry)
  return changes
}
