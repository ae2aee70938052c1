import type { PassportRequest } from './passport-like.ts'

/**
 * The same request with another `session`. Everything else is read from and written to the request itself,
 * such as `user`. Code that was given it sees the other session, and nothing else does.
 */
export function requestView(request: PassportRequest, session: object): PassportRequest {
  return new Proxy(request, {
    // Getters of Express and Node look at the request by `this`.
    get: (target, key) => (key === 'session' ? session : Reflect.get(target, key, target)),
    set: (target, key, value) => Reflect.set(target, key, value, target),
  })
}

/** The same response, which tells before it is sent. */
export function responseView(response: object, beforeSending: () => void): object {
  return new Proxy(response, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key, target)
      if (typeof member !== 'function' || !SENDING.has(key)) return member
      return (...parameters: unknown[]) => {
        beforeSending()
        return member.apply(target, parameters)
      }
    },
    set: (target, key, value) => Reflect.set(target, key, value, target),
  })
}

const SENDING: ReadonlySet<string | symbol> = new Set(['end', 'redirect', 'send', 'writeHead'])
