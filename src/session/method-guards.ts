import { ConfigurationError } from '../errors.ts'

/**
 * Members that sessions of express-session and koa-session have and ours do not, and what to write instead. A bare
 * "is not a function" would say neither.
 */
const INSTEAD: Readonly<Record<string, string>> = {
  regenerate:
    "Write await session.signIn('ann') to sign a user in, or session.rotate() for a new token alone. For Passport there is pg-sessions/passport.",
  reload: 'Write await session.load(): every request reads its session from the store.',
  touch: 'Leave it out: using a session keeps it alive.',
  resetMaxAge: 'Leave it out: using a session keeps it alive.',
  manuallyCommit: 'Write await session.save().',
}

const COOKIE =
  "Write session.setLifetime({ idleTimeout: '30d' }) for a longer life, or await session.signIn('ann', { lifetime: { idleTimeout: '30d' } }). The cookie's other attributes are the option cookie of createSessions."

/** Makes members of other libraries' sessions throw what to write instead. Types don't show them. */
export function refuseForeignMembers(prototype: object): void {
  for (const [name, advice] of Object.entries(INSTEAD)) {
    const value = (): never => refuse(`A session has no method ${name}. ${advice}`)
    Object.defineProperty(prototype, name, { value, configurable: true })
  }
  Object.defineProperty(prototype, 'cookie', {
    get: () => refuse(`A session has no property cookie. ${COOKIE}`),
    configurable: true,
  })
}

type Method = (this: unknown, ...args: unknown[]) => unknown

/**
 * Makes the methods of a class, and of those that it extends, refuse two habits that would fail in silence or without
 * a reason:
 *
 * - a callback, which would never be called, so that a request which answers in it hangs
 *   (`session.destroy(() => res.redirect('/'))`);
 * - a call without the session (`const { get } = session`).
 */
export function guardMethods(prototype: object): void {
  for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (typeof property.value !== 'function' || name === 'constructor') continue
    Object.defineProperty(prototype, name, { ...property, value: guarded(name, property.value) })
  }
  const above: object | null = Object.getPrototypeOf(prototype)
  if (above !== null && above !== Object.prototype) guardMethods(above)
}

function guarded(name: string, method: Method): Method {
  const { length } = method
  return function guard(this: unknown, ...given: unknown[]) {
    if (this === undefined) {
      refuse(
        `${name} was called without its session. Write session.${name}(…): its methods don't work on their own.`,
      )
    }
    if (typeof given[length] === 'function') {
      refuse(`session.${name} takes no callback, and would never call it. ${awaiting(name)}`)
    }
    return method.apply(this, given)
  }
}

function awaiting(name: string): string {
  if (name === 'destroy') return 'Write await session.signOut(), and then answer.'
  return `Write await session.${name}(…), and go on in the next line.`
}

function refuse(message: string): never {
  throw new ConfigurationError(message)
}
