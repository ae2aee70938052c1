import { SessionGoneError } from '../../errors.ts'
import { sidIdentity } from '../by-sid/sid-identity.ts'
import type { Callback } from './answer.ts'
import type { SessionCookie } from './session-cookie.ts'

/** What a session needs of the request that it belongs to. */
export interface SessionRequest {
  sessionID: string
  session?: unknown
  sessionStore: SessionOwner
}

/** What a session asks of its store. */
export interface SessionOwner {
  get(sid: string, callback: Callback<object | null>): void
  set(sid: string, session: object, callback?: Callback<void>): void
  destroy(sid: string, callback?: Callback<void>): void
  regenerate(request: SessionRequest, callback: Callback<void>): void
  createSession(request: SessionRequest, stored: object): object
}

/** What express-session says of a session that has ended. Applications compare it. */
const NOT_FOUND = 'failed to load session'

/**
 * What `req.session` is when the session was stored before: as express-session's own.
 *
 * Request and sid are not listed, and the data never covers a method.
 */
export class LoadedSession {
  declare readonly req: SessionRequest
  declare readonly id: string
  declare cookie: SessionCookie

  constructor(request: SessionRequest, stored: object) {
    Object.defineProperty(this, 'req', { value: request })
    Object.defineProperty(this, 'id', { value: request.sessionID })
    for (const [key, value] of Object.entries(stored)) {
      if (!(key in this)) Reflect.set(this, key, value)
    }
  }

  /** Moves the cookie's expiry on. The middleware does so at every request. */
  touch(): this {
    return this.resetMaxAge()
  }

  /** Sets `maxAge` back to what it originally was. */
  resetMaxAge(): this {
    this.cookie.maxAge = this.cookie.originalMaxAge
    return this
  }

  /** Saves what has changed. */
  save(callback?: (error: unknown) => void): this {
    this.req.sessionStore.set(this.id, this, callback ?? (() => {}))
    return this
  }

  /** Rebuilds `req.session` from what is stored now. */
  reload(callback: (error: unknown) => void): this {
    const { req, id } = this
    const { sessionStore } = req
    sessionStore.get(id, (error, stored) => {
      if (error) return callback(error)
      if (!stored) return callback(new SessionGoneError(sidIdentity(id).id, NOT_FOUND))
      sessionStore.createSession(req, stored)
      callback(undefined)
    })
    return this
  }

  /** Ends the session and removes it from the request. */
  destroy(callback?: (error: unknown) => void): this {
    delete this.req.session
    this.req.sessionStore.destroy(this.id, callback)
    return this
  }

  /** Ends the session and begins another one, under another sid. */
  regenerate(callback: (error: unknown) => void): this {
    this.req.sessionStore.regenerate(this.req, callback)
    return this
  }
}
