import type { Session } from '../../session/session.ts'

/** A session in the form of a view, and a way to keep what was changed past it. */
export interface SessionView {
  readonly session: Session & Record<string, unknown>
  /** Keeps changes to objects that code assigned and then went on to fill, as connect-flash does. */
  sync(): void
}

/**
 * A native session that can also be read and written by property, as code written for express-session does:
 * `session.messages.push('…')`. It has both faces, and is only for code that cannot be told otherwise.
 *
 * Each change, however deep, becomes a `session.set` of its top-level key at once. Values are kept as
 * `JSON.stringify` writes them, as on express-session.
 *
 * @param session - One that is loaded.
 */
export function sessionView(session: Session): SessionView {
  const values = new Map<string, { readonly value: unknown; readonly text: string | undefined }>()
  const write = (key: string, value: unknown): void => {
    const text: string | undefined = JSON.stringify(value)
    values.set(key, { value, text })
    if (text === undefined) session.delete(key)
    else session.set(key, JSON.parse(text))
  }
  const read = (key: string): unknown => {
    const stored = session.data[key]
    const kept = values.get(key) ?? copyOf(stored)
    values.set(key, kept)
    return deepView(kept.value, () => write(key, kept.value))
  }
  const callbacks = callbackMethods(session)
  const view = new Proxy(session as Session & Record<string, unknown>, {
    get(_, key) {
      if (typeof key === 'string' && Object.hasOwn(callbacks, key)) return callbacks[key]
      if (typeof key === 'symbol' || key in session) return nativeMember(session, key)
      return read(key)
    },
    set(_, key, value: unknown) {
      if (typeof key === 'symbol') return false
      write(key, value)
      return true
    },
    deleteProperty(_, key) {
      if (typeof key === 'symbol') return false
      values.delete(key)
      session.delete(key)
      return true
    },
    has: (_, key) => key in session || key in session.data,
    ownKeys: () => Object.keys(session.data),
    getOwnPropertyDescriptor(_, key) {
      if (typeof key === 'symbol' || !Object.hasOwn(session.data, key)) return undefined
      return { value: read(key), enumerable: true, configurable: true, writable: true }
    },
  })
  return {
    session: view,
    sync() {
      for (const [key, { value, text }] of values) {
        if (JSON.stringify(value) !== text) write(key, value)
      }
    },
  }
}

function nativeMember(session: Session, key: string | symbol): unknown {
  const member: unknown = Reflect.get(session, key, session)
  return typeof member === 'function' ? member.bind(session) : member
}

type Callback = (error?: unknown) => void

/** The methods of express-session that take a callback. Without one, `save` and `destroy` are native. */
function callbackMethods(session: Session): Record<string, (done?: Callback) => unknown> {
  const told = (work: Promise<void>, done: Callback | undefined): Promise<void> => {
    if (done === undefined) return work
    return work.then(
      () => process.nextTick(done),
      (error: unknown) => process.nextTick(done, error),
    )
  }
  return {
    save: (done) => told(session.save(), done),
    reload: (done) => told(session.load(), done),
    regenerate(done) {
      session.clear()
      return told(session.save(), done)
    },
    destroy(done) {
      session.destroy()
      return done && told(session.save(), done)
    },
  }
}

/** A plain object or array whose changes are told. Other values cannot change in place. */
function deepView(value: unknown, changed: () => void): unknown {
  if (typeof value !== 'object' || value === null) return value
  return new Proxy(value, {
    get: (target, key) => deepView(Reflect.get(target, key), changed),
    set(target, key, next: unknown) {
      const isSet = Reflect.set(target, key, next)
      changed()
      return isSet
    },
    deleteProperty(target, key) {
      const isDeleted = Reflect.deleteProperty(target, key)
      changed()
      return isDeleted
    },
  })
}

/** A copy as JSON gives it back; undefined where JSON leaves it out. */
function copyOf(value: unknown): { readonly value: unknown; readonly text: string | undefined } {
  const text: string | undefined = JSON.stringify(value)
  return { value: text === undefined ? undefined : JSON.parse(text), text }
}
