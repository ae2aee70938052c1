import type { Deadline } from '../store/deadline.ts'
import type { CurrentSession } from './current-session.ts'
import { fetchEntries, type LoadedSession, loadSession } from './load-session.ts'
import type { PendingChanges } from './pending-changes.ts'
import type { SessionContext } from './session-context.ts'
import { isUserMissing, loadUser } from './session-user.ts'
import type { ShownToken } from './shown-tokens.ts'

const DONE: Promise<void> = Promise.resolve()

/** Reads one request's session: once, at the first need, and large values when they are asked for. */
export class SessionLoader {
  readonly #context: SessionContext
  readonly #current: CurrentSession
  readonly #pending: PendingChanges
  readonly #tokens: readonly ShownToken[]
  #loading: Promise<void> | null = null
  #fetching: Promise<void> | null = null
  #isLoaded = false
  #isSettled: boolean
  #shown: string | null = null

  constructor(current: CurrentSession, pending: PendingChanges, tokens: readonly ShownToken[]) {
    this.#context = current.context
    this.#current = current
    this.#pending = pending
    this.#tokens = tokens
    this.#isSettled = tokens.length === 0
  }

  /** Whether a call that loads has ended. Until then nothing is known, with a cookie or without. */
  get isLoaded(): boolean {
    return this.#isLoaded
  }

  /** Whether the store has answered, or there is nothing to ask it about. */
  get isSettled(): boolean {
    return this.#isSettled
  }

  /** The token that the client showed, in plain text; null for one without a session. */
  get shown(): string | null {
    return this.#shown
  }

  /** Asks the store once, but for large values. After a failure the next call asks again. */
  load(deadline?: Deadline): Promise<void> {
    return this.#load(deadline, this.#context.policy.largeEntries)
  }

  /** Asks for all values, together. */
  loadAll(): Promise<void> {
    const deadline = this.#context.deadline()
    const mayHaveOmitted = this.#isLoaded || this.#loading !== null
    const loading = this.#load(deadline, undefined)
    return mayHaveOmitted ? this.#loadRest(loading, deadline) : loading
  }

  /** Asks for those of these keys' values that have been left out, and that no change has replaced. */
  fetch(keys: readonly string[], deadline?: Deadline): Promise<void> {
    if (!this.#current.snapshot?.entries.hasOmitted) return DONE
    return this.#fetch(keys, deadline ?? this.#context.deadline())
  }

  /** Whether a key's value has been left out, and no change has replaced it. */
  isOmitted(key: string): boolean {
    const isOmitted = this.#current.snapshot?.entries.get(key)?.isOmitted === true
    return isOmitted && !this.#pending.concerns(key)
  }

  #load(deadline: Deadline | undefined, largeEntries: number | undefined): Promise<void> {
    if (this.#isLoaded) return DONE
    if (this.#tokens.length === 0) {
      this.#isLoaded = true
      return DONE
    }
    this.#loading ??= this.#loadNow(deadline ?? this.#context.deadline(), largeEntries)
    return this.#loading
  }

  async #loadNow(deadline: Deadline, largeEntries: number | undefined): Promise<void> {
    try {
      const loaded = await loadSession(this.#context, this.#tokens, { deadline, largeEntries })
      this.#isSettled = true
      this.#isLoaded = true
      if (loaded !== null) this.#keep(loaded)
    } finally {
      this.#loading = null
    }
  }

  #keep({ token, snapshot, orphan = null }: LoadedSession): void {
    const current = this.#current
    current.token = token
    current.snapshot = snapshot
    current.orphan = orphan
    if (snapshot === null) return
    this.#shown = token
    if (current.isRenewable(snapshot)) current.announceChange()
    if (snapshot.isGraceToEnd) {
      // At once: until it is noted, an older request could take the new token for lost.
      const { overlap } = this.#context.policy.renewal.grace
      current.touch({ id: snapshot.id, lifetime: snapshot.lifetime(), overlap })
    } else if (snapshot.isTouchDue) current.link.onTouchDue?.()
  }

  /** Asks for what an earlier load has left out, and for a user who has signed in since. */
  async #loadRest(loading: Promise<void>, deadline: Deadline): Promise<void> {
    await loading
    const { snapshot } = this.#current
    await this.fetch([...(snapshot?.entries.keys() ?? [])], deadline)
    if (isUserMissing(this.#context.store, this.#current.snapshot)) {
      await loadUser(this.#context, this.#current.snapshot, deadline)
    }
  }

  async #fetch(keys: readonly string[], deadline: Deadline): Promise<void> {
    for (;;) {
      const omitted = keys.filter((key) => this.isOmitted(key))
      const { snapshot } = this.#current
      if (omitted.length === 0 || snapshot === null) return
      if (this.#fetching !== null) await this.#fetching.catch(() => {})
      else {
        this.#fetching = fetchEntries(this.#context, snapshot, omitted, deadline).finally(() => {
          this.#fetching = null
        })
        await this.#fetching
      }
    }
  }
}
