import { StoreError } from '../../errors.ts'
import { observeStore } from '../../session/observed-store.ts'
import { type Purger, purgeAll, startPurger } from '../../session/purger.ts'
import type { SessionEventHub } from '../../session/session-events.ts'
import { SessionSnapshot } from '../../session/session-snapshot.ts'
import type { PresentedToken, SessionRecord, SessionStore } from '../../store/session-store.ts'
import { checkLimits } from './content-limits.ts'
import { HeldSession } from './held-session.ts'
import { hasEnded, planCredentials } from './plan-credentials.ts'
import type { SessionContent } from './session-content.ts'
import { changedTexts, encodeText, readSession } from './session-texts.ts'
import type { SidSettings } from './settings.ts'
import { sidIdentity } from './sid-identity.ts'

/** A session that was found, and what its request knows of it. */
export interface FoundSession {
  readonly held: HeldSession
  /** What it holds. The caller's own. */
  readonly session: Record<string, unknown>
  /** Milliseconds until it ends unless it is used. */
  readonly expiresIn: number
}

/**
 * Sessions that other middlewares name by a sid and store whole, kept key by key in a `SessionStore`.
 *
 * Every write hangs on the row of the live session, and only a session that is not stored yet is created: a
 * slow request can neither take back another's change nor bring back what has ended.
 */
export class SidSessions {
  readonly events: SessionEventHub
  readonly #settings: SidSettings
  readonly #store: SessionStore
  #purger: Purger | null = null

  constructor(settings: SidSettings) {
    this.#settings = settings
    this.events = settings.events
    this.#store = observeStore(settings.store, this.events)
  }

  /** Finds a live session, here or where it was before. */
  async load(sid: string): Promise<FoundSession | null> {
    this.#startPurger()
    const held = new HeldSession(sid)
    const found = (await this.#find(held)) ?? (await this.#findOlder(sid, held))
    if (found !== null) this.#endGrace(held)
    return found
  }

  /** Stores what has changed since `held` was last seen; creates what was never stored. */
  save(held: HeldSession, content: SessionContent): Promise<void> {
    this.#startPurger()
    return held.inTurn(async () => {
      if (held.isGone) return this.#dropped(held)
      if (hasEnded(content)) return this.#end(held, content)
      if (held.snapshot !== null || (await this.#meet(held, content)))
        await this.#change(held, content)
    })
  }

  /**
   * Notes an access, when the last one noted is long enough ago, and saves those keys of `content` that
   * have changed. No other key is looked at.
   */
  touch(held: HeldSession, content: SessionContent): Promise<void> {
    this.#startPurger()
    return held.inTurn(async () => {
      if (held.isGone) return
      if (hasEnded(content)) return this.#end(held, content)
      if (held.snapshot !== null || (await this.#find(held)) !== null)
        await this.#change(held, content)
    })
  }

  /** Ends a session, wherever it is. */
  async destroy(sid: string): Promise<void> {
    await this.#settings.older?.forget(sid)
    await this.#destroy(sidIdentity(sid).id, null)
  }

  /** How many live sessions there are. */
  async count(): Promise<number> {
    return (await this.#store.count()).live
  }

  /** All live sessions. Reads the whole table. @throws {StoreError} The store has no way to all. */
  async all(): Promise<FoundSession[]> {
    await this.#store.ready()
    const all: FoundSession[] = []
    for await (const page of this.#pages()) {
      for (const result of await Promise.all(page.map((proof) => this.#store.load(proof)))) {
        // What has ended since the page was read is left out.
        if (result.status === 'live') all.push(this.#learn(new HeldSession(''), result.record))
      }
    }
    return all
  }

  /** Ends all live sessions. @throws {StoreError} The store has no way to all. */
  async clear(): Promise<void> {
    await this.#store.ready()
    for await (const page of this.#pages()) {
      for (const { id } of page) await this.#destroy(id, null)
    }
  }

  #pages(): AsyncGenerator<readonly PresentedToken[], void, undefined> {
    const { live } = this.#settings
    if (live !== null) return live.pages()
    throw new StoreError(
      'all and clear need to reach every session, which a store alone cannot do: pass pool or database instead of store.',
    )
  }

  /** Stops purging and takes no further calls. */
  async close(): Promise<void> {
    await this.#purger?.stop()
    await this.#store.close()
  }

  // Finding

  async #find(held: HeldSession): Promise<FoundSession | null> {
    const { id, proof } = held.identity
    const result = await this.#store.load(proof)
    if (result.status === 'live') return this.#learn(held, result.record)
    if (result.status === 'unknown') this.events.emit('tokenUnknown', { sessionId: id })
    else if (result.status === 'expired')
      this.events.emit('expired', { sessionId: id, userId: result.userId })
    else this.events.emit('tokenReused', { sessionId: id, userId: result.userId })
    return null
  }

  async #findOlder(sid: string, held: HeldSession): Promise<FoundSession | null> {
    const isHere = await this.#settings.older?.adopt(sid)
    return isHere ? this.#find(held) : null
  }

  #learn(held: HeldSession, record: SessionRecord): FoundSession {
    const { entries, previousToken, ...summary } = record
    const { policy } = this.#settings
    const { secretHashes } = held.identity.proof
    const { codec } = this.#settings
    const { texts, session } = readSession(codec, entries, (key) => {
      this.events.emit('decodeFailed', { sessionId: record.id, key, codec: codec.name })
    })
    held.refresh(new SessionSnapshot(policy, summary, secretHashes, previousToken), texts)
    return { held, session, expiresIn: record.expiresAt - record.now }
  }

  /** A token that was renewed by native sessions fades once its successor is shown, here as there. */
  #endGrace({ snapshot }: HeldSession): void {
    if (!snapshot?.isGraceToEnd) return
    const { overlap } = this.#settings.policy.renewal.grace
    const touch = { id: snapshot.id, lifetime: snapshot.lifetime(), overlap }
    // What fails has been told by an event, and the grace ends by itself.
    this.#store.touch(touch).catch(() => undefined)
  }

  // Saving

  /** Makes the session, or else sees the one that is there. Tells whether there is one to change. */
  async #meet(held: HeldSession, content: SessionContent): Promise<boolean> {
    if (!content.mayBeStored && (await this.#create(held, content))) return false
    for (let attempt = 0; attempt < 2; attempt++) {
      if ((await this.#find(held)) !== null) return true
      if (await this.#create(held, content)) return false
      // What was there and is not live has expired: its row makes room.
      await this.#store.destroy({ id: held.identity.id })
    }
    return false
  }

  /** Makes the session unless there is one already. Tells whether that settled the matter. */
  async #create(held: HeldSession, content: SessionContent): Promise<boolean> {
    const { policy, codec } = this.#settings
    const { id, secretHash } = held.identity
    const { texts, terms, userId = null } = content
    const idle = terms.expiresIn ?? policy.idleTimeout
    const ownIdleTimeout = terms.ownIdleTimeout ?? null
    checkLimits(new Map(), { written: [...texts], deleted: [] }, policy.limits)
    const result = await this.#store.create({
      id,
      secretHash,
      userId,
      lifetime: { idle, purge: idle },
      ownIdleTimeout,
      absolute: policy.absoluteTimeout,
      entries: [...texts].map(([key, text]) => encodeText(codec, key, text)),
    })
    if (result.status === 'taken') {
      held.ended()
      this.#dropped(held)
      return true
    }
    // A store takes a session that is there already without an error. Nothing of this one was stored then.
    const { times, version } = result
    if (times.createdAt < times.now) return false
    const summary = { id, userId, ownIdleTimeout, version, ...times }
    held.refresh(new SessionSnapshot(policy, summary, [secretHash]), texts)
    this.events.emit('created', { sessionId: id, userId })
    return true
  }

  async #change(held: HeldSession, content: SessionContent): Promise<void> {
    const snapshot = held.snapshot as SessionSnapshot
    if (content.userId === null && snapshot.summary.userId !== null)
      return this.#release(held, content)
    const changes = changedTexts(held.texts, content.texts, content.isHidden)
    const { written, deleted } = changes
    checkLimits(held.texts, changes, this.#settings.policy.limits)
    const credentials = planCredentials(this.#settings.policy, snapshot, content)
    const idle = content.terms.expiresIn ?? this.#idleTimeout(snapshot, content)
    if (written.length + deleted.length === 0 && credentials === undefined) {
      return this.#touch(snapshot, idle)
    }
    const { codec } = this.#settings
    const result = await this.#store.save({
      ...snapshot.guard,
      lifetime: snapshot.lifetime(idle),
      isTouchDue: this.#isTouchDue(snapshot, idle),
      written: written.map(([key, text]) => encodeText(codec, key, text)),
      deleted: deleted.map((key) => codec.encodeKey(key)),
      ...(credentials === undefined ? {} : { credentials }),
    })
    if (result.status === 'gone') {
      held.ended()
      return this.#dropped(held)
    }
    const { signIn, ownIdleTimeout } = credentials ?? {}
    snapshot.refresh(result.times, {
      ...(result.version === undefined ? {} : { version: result.version }),
      ...(signIn === undefined ? {} : { userId: signIn.userId }),
      ...(ownIdleTimeout === undefined ? {} : { ownIdleTimeout }),
    })
    for (const [key, text] of written) held.texts.set(key, text)
    for (const key of deleted) held.texts.delete(key)
    if (signIn) this.events.emit('signedIn', { sessionId: snapshot.id, userId: signIn.userId })
  }

  /** How long an access keeps the session, where its cookie names no time. */
  #idleTimeout(snapshot: SessionSnapshot, { terms }: SessionContent): number {
    // A cookie that has just lost its expiry no longer says anything about the row's.
    return terms.ownIdleTimeout === null ? this.#settings.policy.idleTimeout : snapshot.idleTimeout
  }

  /**
   * Starts the session over, without a user: no write takes a user away from a session that stays. What
   * slower requests of that user still save is refused.
   */
  async #release(held: HeldSession, content: SessionContent): Promise<void> {
    const { id, userId } = (held.snapshot as SessionSnapshot).summary
    const isOurs = await this.#destroy(id, userId)
    if (isOurs && (await this.#create(held, content))) return
    held.ended()
    this.#dropped(held)
  }

  async #touch(snapshot: SessionSnapshot, idle: number): Promise<void> {
    if (!this.#isTouchDue(snapshot, idle)) return
    await this.#store.touch({ id: snapshot.id, lifetime: snapshot.lifetime(idle) })
    const now = snapshot.storeClock
    const expiresAt = Math.max(snapshot.summary.expiresAt, deadlineOf(snapshot, idle))
    snapshot.refresh({ ...snapshot.summary, now, lastAccessAt: now, expiresAt }, {})
  }

  /** Whether the last access noted, or the deadline in force, has fallen behind by a touch interval. */
  #isTouchDue(snapshot: SessionSnapshot, idle: number): boolean {
    const { lastAccessAt, expiresAt } = snapshot.summary
    const interval = this.#settings.policy.touchInterval(idle)
    const sinceAccess = snapshot.storeClock - lastAccessAt
    return sinceAccess >= interval || deadlineOf(snapshot, idle) - expiresAt >= interval
  }

  // Ending

  async #end(held: HeldSession, { mayBeStored }: SessionContent): Promise<void> {
    held.ended()
    const { snapshot, identity } = held
    if (snapshot !== null) await this.#destroy(snapshot.id, snapshot.summary.userId)
    else if (mayBeStored) await this.#destroy(identity.id, null)
  }

  async #destroy(sessionId: string, userId: string | null): Promise<boolean> {
    const owner = userId === null ? {} : { owner: userId }
    const result = await this.#store.destroy({ id: sessionId, ...owner })
    if (result.status !== 'ended') return false
    this.events.emit('destroyed', { sessionId, userId: result.userId })
    return true
  }

  #dropped({ identity }: HeldSession): void {
    const message =
      'a session ended or changed hands, so changes that a request made to it were dropped'
    this.#settings.policy.log.info({ sessionId: identity.id }, message)
  }

  /** Sessions that are never used again are deleted automatically. */
  #startPurger(): void {
    const { purgeInterval, policy } = this.#settings
    if (this.#purger !== null || purgeInterval === Number.POSITIVE_INFINITY) return
    const purge = (signal: AbortSignal): Promise<number> =>
      purgeAll(this.#store, this.events, { signal })
    this.#purger = startPurger(purge, purgeInterval, policy.log)
  }
}

/** Where an access now would move the deadline. */
function deadlineOf({ storeClock, summary }: SessionSnapshot, idle: number): number {
  return Math.min(storeClock + idle, summary.absoluteExpiresAt)
}
