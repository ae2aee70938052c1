import { expect } from 'vitest'

/** A session as the model has it. Times are minutes. */
export interface ModelSession {
  readonly data: Map<string, number>
  userId: string | null
  lastAccess: number
  absoluteEnd: number
  /** Stands for the token in force. */
  version: object
  isEnded: boolean
}

/** Minutes, as the settings of the sessions under test say. */
const IDLE = 60
const ABSOLUTE = 110

/** All that the sessions of an application hold, in the fewest words. */
export class SessionModel {
  now: number = 0
  readonly #sessions = new Set<ModelSession>()
  readonly #ids = new Map<ModelSession, string>()

  isLive(session: ModelSession): boolean {
    return !session.isEnded && this.now < Math.min(session.lastAccess + IDLE, session.absoluteEnd)
  }

  live(userId?: string): ModelSession[] {
    return [...this.#sessions].filter(
      (session) => this.isLive(session) && (userId === undefined || session.userId === userId),
    )
  }

  begin(): ModelSession {
    const session = {
      data: new Map<string, number>(),
      userId: null,
      lastAccess: this.now,
      absoluteEnd: this.now + ABSOLUTE,
      version: {},
      isEnded: false,
    }
    this.#sessions.add(session)
    return session
  }

  /** Checks that a session keeps its id, and that no two ever have the same. */
  checkId(session: ModelSession, id: string | null): void {
    expect(id).not.toBeNull()
    const known = this.#ids.get(session)
    if (known !== undefined) expect(id).toBe(known)
    else expect([...this.#ids.values()]).not.toContain(id)
    this.#ids.set(session, String(id))
  }

  idOf(session: ModelSession): string {
    return String(this.#ids.get(session))
  }
}

/** One request in the model: the session it found, and what becomes of it. */
export class ModelRequest {
  readonly #model: SessionModel
  /** Null while there is nothing to store. */
  session: ModelSession | null
  /** What would be stored if there came to be a session. */
  #unstored = new Map<string, number>()

  constructor(model: SessionModel, session: ModelSession | null) {
    this.#model = model
    this.session = session !== null && model.isLive(session) ? session : null
    if (this.session !== null) this.session.lastAccess = model.now
  }

  get data(): Map<string, number> {
    return this.session?.data ?? this.#unstored
  }

  save(): void {
    if (this.session === null && this.#unstored.size > 0) this.#store()
  }

  rotate(): void {
    if (this.session !== null) this.session.version = {}
  }

  clear(): void {
    this.#unstored = new Map()
    if (this.session === null) return
    this.session.isEnded = true
    this.session = this.#model.begin()
  }

  destroy(): void {
    this.#unstored = new Map()
    if (this.session !== null) this.session.isEnded = true
    this.session = null
  }

  signIn(userId: string): void {
    const owner = this.session?.userId ?? null
    if (owner !== null && owner !== userId) this.clear()
    const session = this.session ?? this.#store()
    session.userId = userId
    session.absoluteEnd = this.#model.now + ABSOLUTE
    session.version = {}
  }

  #store(): ModelSession {
    const session = this.#model.begin()
    for (const [key, value] of this.#unstored) session.data.set(key, value)
    this.session = session
    return session
  }
}
