import type { SessionSnapshot } from '../../session/session-snapshot.ts'
import type { SessionTexts } from './session-texts.ts'
import { type SidIdentity, sidIdentity } from './sid-identity.ts'

/**
 * What one request knows to be stored under a sid.
 *
 * A save compares with it, so that it writes what this request has changed and nothing else. All state
 * is private, since it is attached to objects that applications inspect and log.
 */
export class HeldSession {
  readonly #sid: string
  readonly #identity: SidIdentity
  #snapshot: SessionSnapshot | null = null
  #texts: SessionTexts = new Map()
  #isGone = false
  #turn: Promise<unknown> = Promise.resolve()

  constructor(sid: string) {
    this.#sid = sid
    this.#identity = sidIdentity(sid)
  }

  get identity(): SidIdentity {
    return this.#identity
  }

  /** The stored session; null while none has been seen. */
  get snapshot(): SessionSnapshot | null {
    return this.#snapshot
  }

  /** What was stored when it was last seen, by key. */
  get texts(): SessionTexts {
    return this.#texts
  }

  /** Whether the session has ended. It never comes back for this request. */
  get isGone(): boolean {
    return this.#isGone
  }

  refresh(snapshot: SessionSnapshot, texts: SessionTexts): void {
    this.#snapshot = snapshot
    this.#texts = texts
  }

  ended(): void {
    this.#isGone = true
  }

  /** Whether this is about the session of that sid. */
  isOf(sid: string): boolean {
    return sid === this.#sid
  }

  /** Runs calls of one request one after another. */
  inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => undefined)
    return result
  }
}
