import type { SessionError } from '../errors.ts'
import { ConfigurationError } from '../errors.ts'
import { isPromise } from '../options/is-promise.ts'
import { nearestName } from '../options/nearest-name.ts'
import { shown } from '../options/shown.ts'
import { type EventMessage, eventChannel } from '../telemetry/channels.ts'
import type { Logger } from './logger.ts'

/** What can happen to sessions. Nothing in an event is secret. */
export interface SessionEvents {
  /** A session has been stored for the first time. */
  created: { readonly sessionId: string; readonly userId: string | null }
  /** A session has a new token and the same data. */
  rotated: { readonly sessionId: string; readonly userId: string | null }
  /** A session's token was old and has been renewed. */
  renewed: { readonly sessionId: string; readonly userId: string | null }
  /** A user signed in; the session has a new token. */
  signedIn: {
    readonly sessionId: string
    readonly userId: string
    /** The administrator who acts as the user, and has signed in for them; absent for the user's own sign-in. */
    readonly actor?: string
  }
  /** An administrator has stopped acting as a user by `endImpersonation`. The session has ended. */
  impersonationEnded: {
    readonly sessionId: string
    readonly userId: string | null
    readonly actor: string
  }
  /** A session ended and an empty one took its place. */
  cleared: { readonly sessionId: string; readonly successorId: string }
  /**
   * A session ended by a call. `reason` is `'evicted'` if that call was a sign-in of the user beyond `maxPerUser`;
   * absent for every other.
   */
  destroyed: {
    readonly sessionId: string
    readonly userId: string | null
    readonly reason?: 'evicted'
  }
  /** A client came with the token of a session whose deadline has passed. */
  expired: { readonly sessionId: string; readonly userId: string | null }
  /**
   * A session's user was not found by the setting `user`: deleted, disabled or hidden. The request is treated as
   * signed out.
   */
  userGone: { readonly sessionId: string; readonly userId: string }
  /** An administrator ended sessions on the admin page: one of them, all of a user, or all with a tag. */
  adminEnded: {
    /** Who it was, as the page's `authorize` said. */
    readonly actor: string
    /** Null if more than one was to end. */
    readonly sessionId: string | null
    readonly userId: string | null
    /** Null unless all with this tag were to end. */
    readonly tag: string | null
    /** How many live sessions were ended. */
    readonly ended: number
  }
  /** An administrator looked at values of a session on the admin page. */
  adminViewed: {
    readonly actor: string
    readonly sessionId: string
    readonly userId: string | null
    readonly keys: readonly string[]
  }
  /** Dead sessions were deleted. */
  purged: { readonly removed: number; readonly milliseconds: number }
  /** A stored key or value does not decode, so it counts as absent. */
  decodeFailed: { readonly sessionId: string; readonly key: string | null; readonly codec: string }
  /** A stored value does not fit the schema that the setting `data` has for its key, so it counts as absent. */
  valueUnfit: {
    readonly sessionId: string
    readonly key: string
    /** Where it does not fit: `basket[0].price`. */
    readonly places: readonly string[]
  }
  /**
   * A stored value counts as absent, since it cannot be decrypted (`seal`): its key is unknown to this process, it was
   * changed or comes from another session or key, it is not sealed, or these sessions have no setting `seal`.
   */
  unsealFailed: {
    readonly sessionId: string
    readonly key: string | null
    readonly reason: 'unknownKey' | 'notAuthentic' | 'notSealed' | 'noSetting'
  }
  /** A client came with the key of a session in old tables that cannot be moved, so it counts as absent. */
  sessionUnreadable: { readonly sessionId: string; readonly problem: string }
  /**
   * A client came with a well-formed token that names no session, or has the wrong secret. The id is
   * empty where tokens name none.
   */
  tokenUnknown: { readonly sessionId: string }
  /**
   * A client came with a session's token from before the last renewal, whose grace is over. It was stolen,
   * or its client never got the response with the new one. See `onTokenReuse`.
   */
  tokenReused: { readonly sessionId: string; readonly userId: string | null }
  /** A client sent something that is not a token, or several different ones. */
  tokenRefused: { readonly reason: 'malformed' | 'ambiguous' }
  /** The store could not be asked. */
  storeUnavailable: { readonly operation: string; readonly error: SessionError }
  /** What changed after the response's head had left could not be saved, and no response could say so. */
  lateSaveFailed: { readonly error: unknown }
}

/** Called when an event has happened. What it throws is logged and goes no further. */
export type SessionListener<Name extends keyof SessionEvents> = (event: SessionEvents[Name]) => void

const LEVELS: Record<keyof SessionEvents, [keyof Logger, string]> = {
  created: ['debug', 'session created'],
  rotated: ['debug', 'session token rotated'],
  renewed: ['debug', 'session token renewed'],
  signedIn: ['debug', 'user signed in'],
  impersonationEnded: ['debug', 'impersonation ended'],
  cleared: ['debug', 'session cleared'],
  destroyed: ['debug', 'session destroyed'],
  expired: ['debug', 'expired session refused'],
  userGone: ['warn', 'the user of a session was not found, so the request counts as signed out'],
  adminEnded: ['info', 'an administrator ended sessions'],
  adminViewed: ['info', 'an administrator looked at values of a session'],
  purged: ['info', 'expired sessions purged'],
  decodeFailed: ['warn', 'a stored entry does not decode and counts as absent'],
  valueUnfit: ['warn', 'a stored value does not fit its schema and counts as absent'],
  unsealFailed: ['warn', 'a stored value cannot be decrypted and counts as absent'],
  sessionUnreadable: ['warn', 'a stored session cannot be read and counts as absent'],
  tokenUnknown: ['debug', 'unknown token refused'],
  tokenReused: ['warn', 'a renewed session token was used again after its grace'],
  tokenRefused: ['debug', 'cookie refused'],
  storeUnavailable: ['warn', 'the session store is unavailable'],
  lateSaveFailed: ['warn', 'a change made after the response had left was lost'],
}

/** Tells listeners and the log what has happened, and never lets either disturb a request. */
export class SessionEventHub {
  readonly #log: Logger
  readonly #listeners = new Map<string, Set<(event: never) => void>>()

  constructor(log: Logger) {
    this.#log = log
  }

  /** Adds a listener and gives the function that removes it. */
  on<Name extends keyof SessionEvents>(name: Name, listener: SessionListener<Name>): () => void {
    if (!Object.hasOwn(LEVELS, name)) {
      const names = Object.keys(LEVELS)
      const nearest = nearestName(String(name), names)
      const advice =
        nearest === undefined ? `Its events are ${names.join(', ')}` : `Did you mean ${nearest}?`
      throw new ConfigurationError(`There is no event ${shown(name)}. ${advice}`)
    }
    if (typeof listener !== 'function') {
      throw new ConfigurationError(
        `on needs a listener. Write sessions.on('${name}', (event) => …).`,
      )
    }
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners)
    listeners.add(listener as (event: never) => void)
    return () => listeners.delete(listener as (event: never) => void)
  }

  /** Whether a listener waits for this event. */
  isHeard(name: keyof SessionEvents): boolean {
    return (this.#listeners.get(name)?.size ?? 0) > 0
  }

  emit<Name extends keyof SessionEvents>(name: Name, event: SessionEvents[Name]): void {
    const [level, message] = LEVELS[name]
    this.#log[level](event, message)
    if (eventChannel.hasSubscribers) eventChannel.publish({ name, event } satisfies EventMessage)
    for (const listener of this.#listeners.get(name) ?? []) {
      this.#guarded(() => (listener as SessionListener<Name>)(event))
    }
  }

  #guarded(work: () => unknown): void {
    const failed = (error: unknown): void => {
      this.#log.error({ err: error }, 'a listener of a session event failed')
    }
    try {
      const result = work()
      if (isPromise(result)) result.then(undefined, failed)
    } catch (error) {
      failed(error)
    }
  }
}
