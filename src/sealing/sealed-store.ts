import { StoreUnavailableError } from '../errors.ts'
import { type CallOptions, Deadline } from '../store/deadline.ts'
import type { SessionStore, StoreInspector } from '../store/session-store.ts'
import type { Sealing } from './sealing.ts'

/** A store takes no larger threshold. */
const LARGEST = 2 ** 31 - 1

/** The calls of a store that values pass through. */
type ValueCalls = Pick<
  SessionStore,
  'load' | 'fetch' | 'create' | 'save' | 'replace' | 'update' | 'take' | 'readUser'
>

/**
 * A store that keeps no value in plain text: values are sealed on their way in, and opened on their way out. All other
 * calls go to the store as they are.
 *
 * It keeps the store's contract: what a caller compares and sets is the value, not its sealed form, of which there is
 * another one at each writing.
 */
export function sealedStore(store: SessionStore, sealing: Sealing): SessionStore {
  const inFlight = new Set<Promise<unknown>>()
  const tracked =
    <Args extends readonly unknown[], Answer>(call: (...args: Args) => Promise<Answer>) =>
    (...args: Args): Promise<Answer> => {
      const answer = call(...args)
      const settled = answer.catch(() => undefined)
      const forget = (): boolean => inFlight.delete(settled)
      inFlight.add(settled)
      settled.then(forget, forget)
      return answer
    }
  const sealed = valueCalls(store, sealing)
  const calls: Partial<Record<PropertyKey, unknown>> = {
    load: tracked(sealed.load),
    fetch: tracked(sealed.fetch),
    create: tracked(sealed.create),
    save: tracked(sealed.save),
    replace: tracked(sealed.replace),
    update: tracked(sealed.update),
    take: tracked(sealed.take),
    readUser: tracked(sealed.readUser),
    inspector: store.inspector && openingInspector(store, store.inspector, sealing),
    // A call whose value is still being sealed has not reached the store, which therefore would not wait for it.
    close: async () => {
      await Promise.all(inFlight)
      await store.close()
    },
  }
  return new Proxy(store, {
    get(target, name) {
      if (Object.hasOwn(calls, name) && Reflect.get(target, name) !== undefined) return calls[name]
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

function valueCalls(store: SessionStore, sealing: Sealing): Required<ValueCalls> {
  return {
    async load(proof, options) {
      const most = options?.largeEntries
      const result = await store.load(proof, {
        ...options,
        largeEntries: most === undefined ? most : Math.min(most + sealing.overhead, LARGEST),
      })
      if (result.status !== 'live') return result
      const { record } = result
      const entries = await sealing.openAll(record.id, record.entries, options?.deadline)
      const omitted = record.omitted?.map(({ key, size }) => ({
        key,
        size: size - sealing.overhead,
      }))
      return { ...result, record: { ...record, entries, ...(omitted && { omitted }) } }
    },

    async fetch(request, options) {
      const result = await store.fetch?.(request, options)
      if (result?.status !== 'found') return { status: 'gone' }
      const entries = await sealing.openAll(request.id, result.entries, options?.deadline)
      return { status: 'found', entries }
    },

    async create(session, options) {
      const entries = await sealing.sealAll(session.id, session.entries, options?.deadline)
      return store.create({ ...session, entries }, options)
    },

    async save(change, options) {
      const written = await sealing.sealAll(change.id, change.written, options?.deadline)
      return store.save({ ...change, written }, options)
    },

    async replace(ended, successor, options) {
      const entries = await sealing.sealAll(successor.id, successor.entries, options?.deadline)
      return store.replace(ended, { ...successor, entries }, options)
    },

    update: updateCall(store, sealing),

    take: takeCall(store, sealing),

    async readUser(userId, options) {
      const call = inTime(store, options)
      const sessions = (await store.readUser?.(userId, call)) ?? []
      const open = async (session: (typeof sessions)[number]): Promise<typeof session> => ({
        ...session,
        entries: await sealing.openAll(session.id, session.entries, call.deadline),
      })
      return Promise.all(sessions.map(open))
    },
  }
}

/** Shows an operator a value that the application allows, rather than its sealed form. */
function openingInspector(
  store: SessionStore,
  inspector: StoreInspector,
  sealing: Sealing,
): StoreInspector {
  return {
    ...inspector,
    async entries(search, options) {
      const call = inTime(store, options)
      const entries = await inspector.entries(search, call)
      return sealing.openAll(search.id, entries, call.deadline)
    },
  }
}

/** The time of a call that has none of its own, so that a sealer that never answers ends it. */
function inTime(
  { deadline }: Pick<SessionStore, 'deadline'>,
  options: CallOptions | undefined,
): { readonly deadline: Deadline } {
  return { deadline: options?.deadline ?? new Deadline(deadline ?? Number.POSITIVE_INFINITY) }
}

/**
 * A value that does not open is put back, unless another request has written one meanwhile: the process may lack its
 * key, or the key service may be away, and a value that is taken is gone.
 */
function takeCall(store: SessionStore, sealing: Sealing): SessionStore['take'] {
  return async (entry, options) => {
    const call = inTime(store, options)
    const result = await store.take(entry, call)
    if (result.status !== 'taken' || result.value === null) return result
    const { id, key } = entry
    const stored = result.value
    const putBack = async (): Promise<boolean> => {
      // The key service may have used up the time of the call.
      const put = await store
        .update({ ...entry, expected: null, value: stored }, inTime(store, undefined))
        .catch(() => null)
      return put?.status === 'updated'
    }
    try {
      const value = await sealing.open(id, key, stored, call.deadline)
      if (value === null) await putBack()
      return { status: 'taken', value }
    } catch (error) {
      if ((await putBack()) || !(error instanceof StoreUnavailableError)) throw error
      throw new StoreUnavailableError(error.message, 'unknown', { cause: error })
    }
  }
}

function updateCall(store: SessionStore, sealing: Sealing): SessionStore['update'] {
  return async (update, options) => {
    const { id, key, expected, value } = update
    const deadline = options?.deadline
    const sealed = value === null ? null : await sealing.seal(id, key, value, deadline)
    let stored = expected === null ? null : (sealing.storedForm(expected) ?? expected)
    for (;;) {
      const change = { ...update, expected: stored, value: sealed }
      const result = await store.update(change, options)
      if (result.status !== 'changed' || result.current === null) return result
      const current = await sealing.open(id, key, result.current, deadline)
      if (!areEqual(current, expected)) return { status: 'changed', current }
      // The same value to the caller: it was sealed again, or it cannot be opened and counts as absent.
      stored = result.current
    }
  }
}

function areEqual(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a && b ? Buffer.compare(a, b) === 0 : a === b
}
