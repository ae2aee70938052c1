import { asked } from './caller-stack.ts'
import type { DefaultData, UserOf } from './session-data.ts'
import { SessionHandle, stateOf } from './session-handle.ts'

/** What can be told of a session once it is loaded. */
export class SessionFacts<Data extends object = DefaultData> extends SessionHandle {
  /**
   * The session's public id, a UUID unless the store gives another; null for an anonymous session. It
   * grants nothing, and may be logged, listed and used to end the session.
   * @throws {NotLoadedError} Before `load()`.
   */
  get id(): string | null {
    return stateOf(this).summary('session.id')?.id ?? null
  }

  /** The signed-in user's id; null for an anonymous session. @throws {NotLoadedError} Before `load()`. */
  get userId(): string | null {
    return stateOf(this).summary('session.userId')?.userId ?? null
  }

  /**
   * The signed-in user's row, read in the same statement as the session; null for an anonymous session.
   *
   * Needs the setting `user`. After a `signIn` in the same request, await `load()` or `reloadUser()` before.
   *
   * @throws {NotLoadedError} Before `load()`.
   * @throws {ConfigurationError} Without the setting `user`.
   * @example
   * ```ts
   * await session.load()
   * const name = session.user?.['name'] ?? 'stranger'
   * ```
   */
  get user(): UserOf<Data> | null {
    return stateOf(this).user as UserOf<Data> | null
  }

  /**
   * Reads the user's row again, and gives it: after your application has changed it. One round trip.
   *
   * @returns Null for an anonymous session, and for a user who is gone: the next request is then signed out.
   * @throws {SessionGoneError} The session ended meanwhile.
   * @throws {ConfigurationError} Without the setting `user`.
   */
  async reloadUser(): Promise<UserOf<Data> | null> {
    return (await asked(stateOf(this).reloadUser())) as UserOf<Data> | null
  }

  /**
   * The administrator who acts as the user in this session, by their user id; null in the user's own.
   *
   * @throws {NotLoadedError} Before `load()`.
   */
  get actor(): string | null {
    return stateOf(this).summary('session.actor')?.actor?.userId ?? null
  }

  /** When the session was first stored; null before. @throws {NotLoadedError} Before `load()`. */
  get createdAt(): Date | null {
    return date(stateOf(this).summary('session.createdAt')?.createdAt)
  }

  /** When the user signed in; null for an anonymous session. @throws {NotLoadedError} Before `load()`. */
  get authenticatedAt(): Date | null {
    return date(stateOf(this).summary('session.authenticatedAt')?.authenticatedAt)
  }

  /**
   * When the session ends unless it is used again, by the database's clock; null for an anonymous one.
   * @throws {NotLoadedError} Before `load()`.
   */
  get expiresAt(): Date | null {
    return date(stateOf(this).summary('session.expiresAt')?.expiresAt)
  }

  /** Whether no earlier request has stored this session. @throws {NotLoadedError} Before `load()`. */
  get isNew(): boolean {
    stateOf(this).summary('session.isNew')
    return stateOf(this).isNew
  }

  /** What `JSON.stringify` and loggers show of it: nothing that is secret, and no data. */
  toJSON(): { id: string | null; userId: string | null } {
    const { snapshot } = stateOf(this)
    return { id: snapshot?.id ?? null, userId: snapshot?.summary.userId ?? null }
  }
}

function date(milliseconds: number | null | undefined): Date | null {
  return milliseconds === null || milliseconds === undefined ? null : new Date(milliseconds)
}
