import { type Act, type Answer, type Content, GRACE, type Listed, largeValue } from './protocol.ts'

/** How long a write whose outcome is unknown may still land: the network and the locks may have held it up. */
export const LANDING_TIME = 15_000

/** A write, or an end, of which it is not known whether it was applied. */
interface Pending {
  readonly until: number
}

interface PendingValue extends Pending {
  readonly n: number | null
}

/** What a key may hold. */
interface Key {
  /** What was acknowledged last; null for nothing. */
  acknowledged: number | null
  readonly pending: PendingValue[]
}

/**
 * What one session may hold, by what its browser was told: what was acknowledged is there, what was refused is
 * not, and what is unknown may be either until it is seen.
 */
export class SessionModel {
  /** Names the session in each of its values. */
  readonly tag: string
  user: string | null = null
  id: string | null = null
  /** When the latest request was sent whose token has worked. */
  #workedAt = performance.now()
  #mayHaveEndedUntil = 0
  #hasEnded = false
  readonly #keys = new Map<string, Key>()
  /** Least and most that the counter may show. */
  #count = { least: 0, most: 0 }
  #countPendingUntil = 0
  /** Whether a second factor was proved since the sign-in; null if an answer got lost. */
  #isElevated: boolean | null = false
  readonly #label: Key = { acknowledged: null, pending: [] }
  /** Holds 1 for the session's tag. */
  readonly #tagged: Key = { acknowledged: null, pending: [] }

  /** @param mayEndUntil - How long a sign-in of an earlier session may land, and end this one as one too many. */
  constructor(tag: string, mayEndUntil = 0) {
    this.tag = tag
    this.#mayHaveEndedUntil = mayEndUntil
  }

  /**
   * Whether the browser's token may open nothing any more: the session may have ended, or the token may have been
   * renewed by a request whose answer was lost or overtook this one, so long ago that its grace is over.
   */
  get mayHaveEnded(): boolean {
    const now = performance.now()
    return this.#hasEnded || now < this.#mayHaveEndedUntil || now - this.#workedAt >= GRACE
  }

  /** Notes that a request was done with the browser's token that was sent at this moment. */
  worked(sentAt: number): void {
    this.#workedAt = Math.max(this.#workedAt, sentAt)
  }

  /** Notes how an act ended that may have changed the session. */
  note(act: Act, { outcome, ended }: Answer): void {
    if (outcome === 'failed' || outcome === 'refused') return
    const isDone = outcome === 'done'
    switch (act.kind) {
      case 'set':
        this.#write(act.key, act.value.n, isDone)
        break
      case 'delete':
      case 'remove':
        this.#write(act.key, null, isDone)
        break
      case 'take':
        this.#write('notice', null, isDone)
        break
      case 'add':
        this.#add(isDone)
        break
      case 'signIn':
        if (isDone) [this.user, this.#isElevated] = [act.user, false]
        else this.#mayEnd()
        break
      case 'elevate':
        this.#isElevated = isDone ? true : null
        if (!isDone) this.#mayEnd()
        break
      case 'describe':
        writeKey(this.#label, act.n, isDone)
        break
      case 'tag':
        writeKey(this.#tagged, 1, isDone)
        break
      case 'untag':
        writeKey(this.#tagged, null, isDone)
        break
      case 'endByUser':
        if (isDone) this.#hasEnded ||= this.user !== null
        else this.#mayEnd()
        break
      case 'endInTransaction':
        if (!act.commits) break
        if (isDone) this.#hasEnded = true
        else this.#mayEnd()
        break
      case 'endByTag':
        if (isDone) this.#hasEnded ||= ended === true
        else this.#mayEnd()
        break
      case 'rotate':
      case 'setLifetime':
      case 'endActing':
        if (!isDone) this.#mayEnd()
        break
      case 'clear':
      case 'destroy':
      case 'signOut':
      case 'revoke':
        if (isDone) this.#hasEnded = true
        else this.#mayEnd()
        break
      case 'read':
      case 'list':
      case 'listByTag':
      case 'export':
      case 'actAs':
      case 'purge':
      case 'reseal':
      case 'close':
        break
    }
  }

  /** What is wrong about what a request has read; null for nothing. */
  fault(content: Content, user: string | null, isElevated: boolean): string | null {
    const foreign = this.#foreignValue(content)
    if (foreign !== null) return foreign
    const names = Object.keys(content)
    if (user !== this.user && user !== null) return `it belongs to ${user}, not ${this.user}`
    if (names.length === 0 && user === null) {
      if (this.mayHaveEnded) return null
      return this.#isEmpty ? null : 'a live session reads as anonymous'
    }
    if (this.#hasEnded) return 'a session that has ended is back'
    if (user === null && this.user !== null) return `${this.user} is signed out`
    const wrong = this.#keysFault(content)
    if (wrong !== null) return wrong
    this.#isElevated ??= isElevated
    if (isElevated !== this.#isElevated) {
      return isElevated ? 'a second factor counts that was not proved' : 'a second factor is lost'
    }
    return this.#countFault(content.count?.n ?? 0)
  }

  /** What is wrong about all that is stored of the session; null for nothing. */
  exportFault(content: Content | undefined): string | null {
    if (content === undefined) {
      return this.user === null || this.mayHaveEnded ? null : 'a live session is not exported'
    }
    if (this.#hasEnded) return 'a session that has ended is exported'
    return this.#foreignValue(content) ?? this.#keysFault(content)
  }

  /** What is wrong about a list of the sessions with its tag; null for nothing. */
  taggedFault(listed: readonly Listed[]): string | null {
    if (listed.some(({ id }) => id !== this.id)) return `other sessions have the tag ${this.tag}`
    if (listed.length === 0 && this.mayHaveEnded) return null
    if (listed.length > 0 && this.#hasEnded) return 'a session that has ended is listed by its tag'
    return keyFault('its tag', this.#tagged, listed.length === 0 ? null : 1)
  }

  /** What is wrong about an end by another one than its user; null for nothing. */
  endFault(act: Act, { ended }: Answer): string | null {
    const concerns = act.kind !== 'endByUser' || this.user !== null
    if (ended === true || !concerns || this.mayHaveEnded) return null
    return `${act.kind} found no live session`
  }

  /** What is wrong about a list of the sessions of its user, who may have one; null for nothing. */
  listFault(listed: readonly Listed[]): string | null {
    if (listed.length > 1) return `${this.user} has ${listed.length} sessions`
    if (this.user === null) return null
    const own = listed.find(({ id }) => id === this.id)
    if (own !== undefined && this.#hasEnded) return 'a session that has ended is listed'
    if (own === undefined) return this.mayHaveEnded ? null : 'a live session is not listed'
    const isTagged = own.tags.includes(this.tag) ? 1 : null
    return keyFault('the device', this.#label, own.n) ?? keyFault('its tag', this.#tagged, isTagged)
  }

  /** What is wrong about an end of all sessions with its tag; null for nothing. */
  tagFault(hasEnded: boolean): string | null {
    const { acknowledged, pending } = this.#tagged
    if (hasEnded)
      return (acknowledged ?? pending[0]) ? null : 'a session without a tag was ended by it'
    return acknowledged === 1 && !this.mayHaveEnded ? 'no session with a tag was ended by it' : null
  }

  #foreignValue(content: Content): string | null {
    for (const [name, { tag, n, fill }] of Object.entries(content)) {
      if (tag !== this.tag) return `${name} holds a value of session ${tag} in session ${this.tag}`
      if (fill !== undefined && fill !== largeValue(tag, n).fill) return `${name} is torn`
    }
    return null
  }

  #keysFault(content: Content): string | null {
    for (const [name, key] of this.#keys) {
      const fault = keyFault(name, key, content[name]?.n ?? null)
      if (fault !== null) return fault
    }
    return null
  }

  get #isEmpty(): boolean {
    return this.user === null && [...this.#keys.values()].every((key) => key.acknowledged === null)
  }

  #mayEnd(): void {
    this.#mayHaveEndedUntil = performance.now() + LANDING_TIME
  }

  #write(name: string, n: number | null, isDone: boolean): void {
    const key = this.#keys.get(name) ?? { acknowledged: null, pending: [] }
    this.#keys.set(name, key)
    writeKey(key, n, isDone)
  }

  #add(isDone: boolean): void {
    this.#count.most += 1
    if (isDone) this.#count.least += 1
    else this.#countPendingUntil = performance.now() + LANDING_TIME
  }

  #countFault(n: number): string | null {
    const { least, most } = this.#count
    if (n < least) return `an acknowledged addition is lost: ${n} instead of ${least} to ${most}`
    if (n > most) return `an addition was applied twice: ${n} instead of ${least} to ${most}`
    const most2 = performance.now() < this.#countPendingUntil ? most : n
    this.#count = { least: n, most: most2 }
    return null
  }
}

function writeKey(key: Key, n: number | null, isDone: boolean): void {
  if (isDone) key.acknowledged = n
  else key.pending.push({ n, until: performance.now() + LANDING_TIME })
}

function keyFault(name: string, key: Key, n: number | null): string | null {
  const now = performance.now()
  if (n !== key.acknowledged && !key.pending.some((pending) => pending.n === n)) {
    return `${name} holds ${n}, and ${key.acknowledged} was acknowledged`
  }
  key.acknowledged = n
  const left = key.pending.filter(({ until }) => until > now)
  key.pending.splice(0, key.pending.length, ...left)
  return null
}
