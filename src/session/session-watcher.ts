import { ConfigurationError, SessionsClosedError, UnsupportedError } from '../errors.ts'
import { isPromise } from '../options/is-promise.ts'
import type {
  LiveSession,
  Precondition,
  RevocationFeed,
  SessionStore,
} from '../store/session-store.ts'
import { outsideRequests } from '../telemetry/request-context.ts'
import { withLiveActors } from './actor-liveness.ts'
import type { Logger } from './logger.ts'

/**
 * Why a watched session is not the one that was watched any more: it ended or expired (`gone`), or it
 * belongs to another user (`other-user`), or a sign-in of its user beyond `maxPerUser` has ended it (`evicted`). The
 * last is told where the news of it arrives; it is `gone` where that got lost or the client cannot listen.
 */
export type WatchEndReason = 'gone' | 'other-user' | 'evicted'

/** A session that is watched, until it ends. */
export interface SessionWatch extends Disposable {
  /** Stops watching: nothing is told any more. Harmless to repeat, and after the end. */
  stop(): void
}

/** Whom to watch: a session that has been loaded, or the public id of one. */
export type WatchTarget = string | (Pick<Precondition, 'userId'> & { readonly id: string | null })

/** How a watcher goes about it, in milliseconds. */
export interface WatchTerms {
  /** How often the store is asked while it gives no hints, and how late an expiry is noticed. */
  readonly interval: number
  /** How often it is asked all the same while it does: what is lost or deleted by hand gives none. */
  readonly reassurance: number
}

const TERMS: WatchTerms = { interval: 500, reassurance: 30_000 }

interface Watch {
  /** Whom the session belongs to; undefined until the store has said so. */
  userId: string | null | undefined
  readonly onEnd: (end: WatchEndReason) => unknown
}

/** All watches of one session. */
interface Subject {
  readonly watches: Set<Watch>
  /** When it expires unless it is used, on the clock of `performance.now()`. */
  endsAt: number
  /** Why it has ended, if it has. */
  reason: 'gone' | 'evicted'
  /** The administrator's own session, without which this one is dead; undefined in the user's own. */
  actorSession: string | undefined
}

/**
 * Watches any number of sessions, and tells of each when it ends or passes to another user.
 *
 * The store's hints only say when to look: what counts is what it answers to the question which of the
 * watched sessions live. One question is under way at a time, and asks about all that is to be looked at.
 * No timer keeps the process alive.
 */
export class SessionWatcher {
  readonly #store: SessionStore
  readonly #log: Logger
  readonly #terms: WatchTerms
  readonly #subjects = new Map<string, Subject>()
  /** The watched sessions that depend on an administrator's, by the id of that one. */
  readonly #acting = new Map<string, Set<string>>()
  /** What is to be looked at next. */
  readonly #suspects = new Set<string>()
  #checking: Promise<void> | null = null
  #hints: Promise<RevocationFeed | null> | null = null
  #isReliable: () => boolean = () => false
  #allCheckedAt = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | null = null
  #isClosed = false

  constructor(store: SessionStore, log: Logger, terms: WatchTerms = TERMS) {
    this.#store = store
    this.#log = log
    this.#terms = terms
  }

  /**
   * @throws {ConfigurationError} The session has no id, since it is not stored.
   * @throws {UnsupportedError} The store cannot tell which sessions live.
   * @throws {SessionsClosedError} After `close()`.
   */
  watch(watched: WatchTarget, onEnd: (end: WatchEndReason) => unknown): SessionWatch {
    if (this.#isClosed) throw new SessionsClosedError()
    if (this.#store.findLive === undefined) {
      throw new UnsupportedError(`Sessions of the store '${this.#store.name}' cannot be watched.`)
    }
    const { id, userId }: Exclude<WatchTarget, string> =
      typeof watched === 'string'
        ? { id: watched.toLowerCase(), userId: undefined }
        : Object(watched)
    if (typeof id !== 'string') {
      throw new ConfigurationError(
        'watch takes a stored session. An anonymous one without data has no id, and never ends.',
      )
    }
    if (typeof onEnd !== 'function') {
      throw new ConfigurationError(
        'watch takes a function to call when the session has ended: sessions.watch(session, () => socket.close(4401)).',
      )
    }
    const watch: Watch = { userId, onEnd }
    const subject = this.#subjects.get(id) ?? {
      watches: new Set(),
      endsAt: Number.POSITIVE_INFINITY,
      reason: 'gone',
      actorSession: undefined,
    }
    subject.watches.add(watch)
    this.#subjects.set(id, subject)
    this.#begin()
    this.#suspect(id)
    const stop = (): void => this.#forget(id, watch)
    return { stop, [Symbol.dispose]: stop }
  }

  /** Stops watching everything, and waits for the query in flight. Calls no listener. */
  async close(): Promise<void> {
    this.#isClosed = true
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#subjects.clear()
    this.#acting.clear()
    this.#suspects.clear()
    const hints = await this.#hints
    await hints?.stop()
    await this.#checking
  }

  #begin(): void {
    if (this.#timer !== null) return
    outsideRequests(() => {
      this.#timer = setInterval(() => this.#tick(), this.#terms.interval)
      this.#timer.unref()
      this.#hints ??= this.#listen()
    })
  }

  async #listen(): Promise<RevocationFeed | null> {
    try {
      const hints = (await this.#store.listen?.((id, why) => this.#hear(id, why))) ?? null
      if (hints === null) return null
      this.#isReliable = () => hints.isReliable
      return hints
    } catch {
      // Looking again and again is enough, and says what is wrong if that fails too.
      return null
    }
  }

  #hear(id: string | null, why?: 'evicted'): void {
    if (id === null) return this.#suspectAll()
    for (const acting of this.#acting.get(id) ?? []) this.#suspect(acting)
    const subject = this.#subjects.get(id)
    if (subject === undefined) return
    if (why !== undefined) subject.reason = why
    this.#suspect(id)
  }

  #tick(): void {
    if (this.#subjects.size === 0) return this.#rest()
    const now = performance.now()
    const pause = this.#isReliable() ? this.#terms.reassurance : 0
    if (now >= this.#allCheckedAt + pause) return this.#suspectAll()
    for (const [id, { endsAt }] of this.#subjects) if (endsAt <= now) this.#suspect(id)
  }

  /** Nothing is watched: hints continue, so that the next watch need not wait for them. */
  #rest(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }

  #suspectAll(): void {
    if (this.#subjects.size === 0) return
    this.#allCheckedAt = performance.now()
    for (const id of this.#subjects.keys()) this.#suspects.add(id)
    this.#check()
  }

  #suspect(id: string): void {
    this.#suspects.add(id)
    this.#check()
  }

  #check(): void {
    this.#checking ??= outsideRequests(() => this.#checkSuspects()).finally(() => {
      this.#checking = null
    })
  }

  async #checkSuspects(): Promise<void> {
    // What becomes suspect in the same moment is asked about together.
    await Promise.resolve()
    while (this.#suspects.size > 0) {
      const ids = [...this.#suspects].slice(0, MOST_AT_ONCE)
      const asked = new Map(ids.map((id) => [id, [...(this.#subjects.get(id)?.watches ?? [])]]))
      for (const id of ids) this.#suspects.delete(id)
      try {
        const found = (await this.#store.findLive?.(ids)) ?? []
        for (const session of found) this.#noteActor(session)
        const live = await withLiveActors(this.#store, found)
        this.#judge(asked, new Map(live.map((session) => [session.id, session])))
      } catch {
        // The store has told of it by an event. Nothing is known to have ended, so all is asked again.
        this.#allCheckedAt = Number.NEGATIVE_INFINITY
        return this.#suspects.clear()
      }
    }
  }

  /** An acting session ends with another, whose end is announced. */
  #noteActor({ id, actor }: LiveSession): void {
    const subject = this.#subjects.get(id)
    if (subject === undefined || actor === undefined) return
    subject.actorSession = actor.sessionId
    const acting = this.#acting.get(actor.sessionId) ?? new Set()
    this.#acting.set(actor.sessionId, acting.add(id))
  }

  #judge(asked: Map<string, Watch[]>, live: ReadonlyMap<string, LiveSession>): void {
    const now = performance.now()
    for (const [id, watches] of asked) {
      const session = live.get(id)
      const subject = this.#subjects.get(id)
      if (session !== undefined && subject !== undefined) subject.endsAt = now + session.remaining
      for (const watch of watches) {
        if (session !== undefined && watch.userId === undefined) watch.userId = session.userId
        if (session === undefined) this.#end(id, watch, subject?.reason ?? 'gone')
        else if (session.userId !== watch.userId) this.#end(id, watch, 'other-user')
      }
    }
  }

  #end(id: string, watch: Watch, end: WatchEndReason): void {
    if (!this.#subjects.get(id)?.watches.has(watch)) return
    this.#forget(id, watch)
    const failed = (error: unknown): void => {
      this.#log.error({ err: error, sessionId: id }, 'a watcher of a session failed')
    }
    try {
      const result = watch.onEnd(end)
      if (isPromise(result)) result.then(undefined, failed)
    } catch (error) {
      failed(error)
    }
  }

  #forget(id: string, watch: Watch): void {
    const subject = this.#subjects.get(id)
    subject?.watches.delete(watch)
    if (subject?.watches.size !== 0) return
    this.#subjects.delete(id)
    const { actorSession = '' } = subject
    const acting = this.#acting.get(actorSession)
    acting?.delete(id)
    if (acting?.size === 0) this.#acting.delete(actorSession)
  }
}

/** Sessions that one question is about. */
const MOST_AT_ONCE = 5000
