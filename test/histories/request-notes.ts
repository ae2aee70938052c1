import type { Deed, Entries, Moment, TokenChange } from './history.ts'
import type { Recorder } from './recorder.ts'

/** How a call ended. */
export type Outcome = 'done' | 'none' | 'unknown' | 'gone' | 'wrong'

/** The session of a request at one moment. */
export interface View {
  readonly id: string | null
  readonly userId: string | null
  readonly token: string | null
}

/** What a request has changed and not saved yet. */
export interface Pending {
  readonly written: ReadonlyMap<string, string>
  readonly deleted: readonly string[]
  readonly change: 'rotate' | 'lifetime' | null
  readonly ending: 'clear' | 'destroy' | null
}

/** A call of a handler, from its begin to its answer. */
export interface Call {
  readonly before: View
  readonly after: View
  readonly outcome: Outcome
  readonly begin: Moment
  /** `Infinity` if the outcome is unknown. */
  readonly end: Moment
}

/** Turns the calls of one request into operations of the history. */
export class RequestNotes {
  readonly #recorder: Recorder
  readonly #request: number

  constructor(recorder: Recorder) {
    this.#recorder = recorder
    this.#request = recorder.newRequest()
  }

  /** Notes an operation that was done, or may have been; another one that was told so. */
  note(call: Call, deed: Deed, needsToken: string | null = null): void {
    const { before, outcome } = call
    if (before.id === null) return
    if (outcome === 'gone') this.#note(before.id, call, { kind: 'told gone', needsToken })
    else if (hasHappened(call)) this.#note(before.id, call, deed)
  }

  /**
   * Notes a load, of the session that a token names.
   *
   * @param actor - Who acts as its user.
   */
  loaded(sessionId: string, call: Call, deed: Deed, actor: string | null): void {
    this.#note(sessionId, call, deed)
    const own = this.#recorder.ownOf(sessionId)
    if (actor !== null && own !== undefined) {
      this.#note(own, call, { kind: 'needed', userId: actor })
    }
  }

  /** Notes that the user of a session began to act as another in a session of its own. */
  acted(call: Call, isDone: boolean): void {
    const { before, after } = call
    if (call.outcome === 'gone') this.note(call, { kind: 'told gone', needsToken: null })
    const { id, userId, token } = after
    if (!isDone || id === null || before.id === null || token === null) return
    this.#recorder.issued(token, id)
    this.#recorder.acts(id, before.id)
    this.#note(id, call, { kind: 'begin', token, userId, isActing: true, entries: new Map() })
  }

  /**
   * Notes the way back from acting as a user.
   *
   * @param to - The token of the administrator's own session that the response carries; null for none.
   */
  cameBack(call: Call, actor: string, isBack: boolean, to: string | null): void {
    const { id, token } = call.before
    if (id === null || token === null) return
    this.note(call, { kind: 'end acting', token }, token)
    const own = this.#recorder.ownOf(id)
    if (own === undefined || !hasHappened(call)) return
    if (to !== null) this.#recorder.issued(to, own)
    // Without an answer that says so, the token may have been given, and the session may have ended since.
    const end = isBack ? call.end : Number.POSITIVE_INFINITY
    this.#note(own, { ...call, end }, { kind: 'come back', userId: actor, to })
  }

  /** @param mayRenew - Whether the save went with the response, which may carry a renewed token. */
  saved(call: Call, { written, deleted, change, ending }: Pending, mayRenew: boolean): void {
    const { id, token } = call.before
    if (id === null || token === null) return
    if (ending !== null) {
      const hasSuccessor = ending === 'clear' || written.size > 0
      return this.note(call, { kind: hasSuccessor ? 'replace' : 'end', token }, token)
    }
    const to = newToken(call)
    const kind = change ?? (to === null ? null : 'renew')
    // A renewal never fails a response, so one whose answer got lost is not seen.
    const mayHaveRenewed = mayRenew && hasHappened(call) && kind === null
    const isEmpty = written.size + deleted.length === 0 && kind === null
    if (!isEmpty || call.outcome === 'gone') {
      const inDoubt = call.outcome === 'unknown' && mayHaveRenewed ? 'renew' : null
      const changed = kind ?? inDoubt
      const tokenChange: TokenChange | null =
        changed === null ? null : { kind: changed, from: token, to }
      const deed: Deed = { kind: 'save', written, deleted, change: tokenChange }
      this.note(call, deed, kind === 'lifetime' ? token : null)
    }
    if (to !== null) this.#recorder.issued(to, id)
    if (mayHaveRenewed) {
      const renewal: TokenChange = { kind: 'renew', from: token, to: null }
      const deed: Deed = { kind: 'save', written: new Map(), deleted: [], change: renewal }
      this.#note(id, { ...call, end: Number.POSITIVE_INFINITY }, deed)
    }
  }

  signedIn(call: Call, userId: string, { written, deleted, ending }: Pending): void {
    const { id, token, userId: owner } = call.before
    if (id === null || token === null) return
    const takesOver = owner !== null && owner !== userId
    if (ending !== null || takesOver) return this.note(call, { kind: 'replace', token }, token)
    // A second click on "log in" begins a session of its own, and changes nothing of this one.
    const isApart = call.outcome === 'done' && call.after.id !== id
    if (isApart) return
    const to = newToken(call)
    const change: TokenChange = { kind: 'sign in', from: token, to, userId }
    this.note(call, { kind: 'save', written, deleted, change }, token)
    if (to !== null && call.after.id === id) this.#recorder.issued(to, id)
  }

  elevated(call: Call): void {
    const { id, token } = call.before
    if (id === null || token === null) return
    const to = newToken(call)
    const change: TokenChange = { kind: 'elevate', from: token, to }
    this.note(call, { kind: 'save', written: new Map(), deleted: [], change }, token)
    if (to !== null) this.#recorder.issued(to, id)
  }

  /** Notes which sessions a sign-in has ended beside its own, or may have ended. */
  evicted({ begin, end, outcome }: Call, userId: string, ids: readonly string[]): void {
    const moments = { request: this.#recorder.newRequest(), begin, end }
    for (const id of ids) {
      this.#recorder.note(id, { ...moments, deed: { kind: 'evicted', userId } })
    }
    if (outcome !== 'unknown') return
    this.#recorder.noteForAll({ ...moments, deed: { kind: 'end by user', userId } })
  }

  /** Notes the session that a call began, if it did. */
  began(call: Call, entries: () => Entries): void {
    const { id, userId, token } = call.after
    if (id === null || id === call.before.id || token === null) return
    this.#recorder.issued(token, id)
    this.#note(id, call, { kind: 'begin', token, userId, entries: entries() })
  }

  #note(sessionId: string, { begin, end }: Call, deed: Deed): void {
    this.#recorder.note(sessionId, { request: this.#request, begin, end, deed })
  }
}

/** The token that the request was given by a call; null for none. */
function newToken({ before, after }: Call): string | null {
  return after.token === before.token || after.id !== before.id ? null : after.token
}

function hasHappened({ outcome }: Call): boolean {
  return outcome === 'done' || outcome === 'unknown'
}
