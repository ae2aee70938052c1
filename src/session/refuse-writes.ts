import { ConfigurationError } from '../errors.ts'

/**
 * The base of what refuses every write past its methods.
 *
 * On express-session `req.session.views = 1` stores a value. Here it would be lost without a sign, also in
 * sloppy mode, where assigning to a frozen object does not throw. An instance is a proxy that throws and says
 * what to write; reading costs no trap.
 */
export const WriteRefusing: new () => object = refusing as unknown as new () => object

function refusing(this: object): object {
  return new Proxy(this, TRAPS)
}

const TRAPS: ProxyHandler<object> = {
  set(target, key, value) {
    if (isHarmless(target, key, value)) {
      return Reflect.defineProperty(target, key, {
        value,
        writable: true,
        enumerable: false,
        configurable: true,
      })
    }
    return refuse(key, ASSIGNED[String(key)] ?? `session.set(${quoted(key)}, …)`)
  },
  defineProperty(target, key, descriptor) {
    if (isHarmless(target, key, descriptor.value)) {
      return Reflect.defineProperty(target, key, descriptor)
    }
    return refuse(key, ASSIGNED[String(key)] ?? `session.set(${quoted(key)}, …)`)
  },
  deleteProperty(target, key) {
    if (typeof key === 'symbol') return Reflect.deleteProperty(target, key)
    const instead = DELETED[key]
    // A test takes back the function that it put in a method's place, sometimes twice.
    if (key in target && instead === undefined) return Reflect.deleteProperty(target, key)
    return refuse(key, instead ?? `session.delete(${quoted(key)})`)
  },
}

/** What to write in place of an assignment to a session's own properties. */
const ASSIGNED: Readonly<Record<string, string>> = {
  userId: "await session.signIn('ann')",
  id: 'session.rotate(), which gives a new token,',
  data: 'session.set(key, value) for each key',
  cookie: "session.setLifetime({ idleTimeout: '30d' }), or the option cookie of createSessions,",
}

const DELETED: Readonly<Record<string, string>> = {
  userId: 'await session.signOut()',
  data: 'session.clear()',
}

/** A symbol is not a key of a session, and a test may replace a method by a function of its own. */
function isHarmless(target: object, key: string | symbol, value: unknown): boolean {
  return typeof key === 'symbol' || (typeof value === 'function' && key in target)
}

function quoted(key: string | symbol): string {
  const text = String(key)
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text).replaceAll('"', "'")
}

function refuse(key: string | symbol, instead: string): never {
  throw new ConfigurationError(
    `A session has no property ${quoted(key)} to change, so nothing would be stored. Write ${instead} instead.`,
  )
}
