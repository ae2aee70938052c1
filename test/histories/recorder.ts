import type { History, Moment, Operation } from './history.ts'

/** Collects the history while a program runs. */
export class Recorder {
  readonly complaints: string[] = []
  readonly #operations: { sessionId: string; operation: Operation }[] = []
  readonly #forAll: Operation[] = []
  #count = 0
  /** Sessions by the tokens that clients were given. */
  readonly #sessionsOfTokens = new Map<string, string>()
  /** Sessions in which an administrator acts as a user, with the administrator's own. */
  readonly #ownSessions = new Map<string, string>()
  #moments: Moment = 0
  #requests = 0

  /** A moment later than all before. */
  now(): Moment {
    this.#moments += 1
    return this.#moments
  }

  newRequest(): number {
    this.#requests += 1
    return this.#requests
  }

  note(sessionId: string, operation: Omit<Operation, 'index'>): void {
    this.#operations.push({ sessionId, operation: { ...operation, index: this.#nextIndex() } })
  }

  /** Notes what concerns every session, also those that turn out later to have begun before it. */
  noteForAll(operation: Omit<Operation, 'index'>): void {
    this.#forAll.push({ ...operation, index: this.#nextIndex() })
  }

  complain(complaint: string): void {
    this.complaints.push(complaint)
  }

  /** Notes that a client was given a token of this session. */
  issued(token: string, sessionId: string): void {
    const known = this.#sessionsOfTokens.get(token)
    if (known !== undefined && known !== sessionId) {
      this.complain(`one token was issued for two sessions, ${known} and ${sessionId}`)
    }
    this.#sessionsOfTokens.set(token, sessionId)
  }

  /** Notes that an administrator acts as a user in a session, and which one is their own. */
  acts(sessionId: string, ownId: string): void {
    this.#ownSessions.set(sessionId, ownId)
  }

  ownOf(sessionId: string): string | undefined {
    return this.#ownSessions.get(sessionId)
  }

  sessionOf(token: string): string | undefined {
    return this.#sessionsOfTokens.get(token)
  }

  /** The sessions that clients know. */
  sessionIds(): ReadonlySet<string> {
    const isNoted = ({ operation }: { readonly operation: Operation }): boolean =>
      operation.deed.kind !== 'evicted'
    return new Set(this.#operations.filter(isNoted).map(({ sessionId }) => sessionId))
  }

  history(): History {
    const sessions = new Map<string, Operation[]>()
    const known = this.sessionIds()
    for (const { sessionId, operation } of this.#operations) {
      // The answer to the sign-in that began it got lost, so no client can tell anything of it.
      if (!known.has(sessionId)) continue
      const operations = sessions.get(sessionId) ?? [...this.#forAll]
      operations.push(operation)
      sessions.set(sessionId, operations)
    }
    return { sessions, complaints: this.complaints }
  }

  #nextIndex(): number {
    this.#count += 1
    return this.#count
  }
}
