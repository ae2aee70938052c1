import { type Act, type Answer, type Content, GRACE, type Value } from './protocol.ts'

/** How long a write whose outcome is unknown may still land: the network and the locks may have held it up. */
const LANDING_TIME = 15_000

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

  constructor(tag: string) {
    this.tag = tag
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
  note(act: Act, { outcome }: Answer): void {
    if (outcome === 'failed' || outcome === 'refused') return
    const isDone = outcome === 'done'
    switch (act.kind) {
      case 'set':
        this.#write(act.key, act.value.n, isDone)
        break
      case 'take':
        this.#write('notice', null, isDone)
        break
      case 'add':
        this.#add(isDone)
        break
      case 'signIn':
        if (isDone) this.user = act.user
        else this.#mayEnd()
        break
      case 'rotate':
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
      case 'purge':
      case 'close':
        break
    }
  }

  /** What is wrong about what a request has read; null for nothing. */
  fault(content: Content, user: string | null): string | null {
    const names = Object.keys(content)
    for (const name of names) {
      const { tag } = content[name] as Value
      if (tag !== this.tag) return `${name} holds a value of session ${tag} in session ${this.tag}`
    }
    if (user !== this.user && user !== null) return `it belongs to ${user}, not ${this.user}`
    if (names.length === 0 && user === null) {
      if (this.mayHaveEnded) return null
      return this.#isEmpty ? null : 'a live session reads as anonymous'
    }
    if (this.#hasEnded) return 'a session that has ended is back'
    if (user === null && this.user !== null) return `${this.user} is signed out`
    for (const [name, key] of this.#keys) {
      const fault = keyFault(name, key, content[name]?.n ?? null)
      if (fault !== null) return fault
    }
    return this.#countFault(content.count?.n ?? 0)
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
    if (isDone) key.acknowledged = n
    else key.pending.push({ n, until: performance.now() + LANDING_TIME })
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
