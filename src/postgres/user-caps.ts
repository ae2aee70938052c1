import { createHash } from 'node:crypto'
import { TooManySessionsError } from '../errors.ts'
import type { CallOptions } from '../store/deadline.ts'
import type { SessionCap } from '../store/session-store.ts'
import { type Announcer, evictions } from './announcer.ts'
import type { Driver } from './driver.ts'
import { inLockedTransaction } from './locked-transaction.ts'
import type { Operation } from './operation.ts'
import { countOthers, evictOldest } from './operations/make-room.ts'
import type { TableAccess } from './table-access.ts'
import type { TableNames } from './table-names.ts'
import { isUnknown } from './unknown-outcome.ts'

/** A sign-in of a user with a cap. */
interface CappedSignIn<Call, Answer> {
  readonly userId: string
  /** The session that is signed in, or that ends with it; null for a new one. */
  readonly own: string | null
  readonly cap: SessionCap
  readonly operation: Operation<Call, Answer>
  readonly call: Call
  /** Whether the user is signed in by what the operation answers. */
  isDone(answer: Answer): boolean
  /** Told the sessions that end with the commit, before it: its answer may get lost. */
  onEvicting?(ids: readonly string[]): void
}

/** What became of it. */
interface Capped<Answer> {
  readonly answer: Answer
  readonly evicted: readonly string[]
}

/**
 * Keeps the caps of users: sign-ins of one user take turns, in whatever process, and each counts the sessions that
 * those before it have committed.
 */
export class UserCaps {
  readonly #driver: Driver
  readonly #tables: TableAccess
  readonly #names: TableNames
  readonly #announcer: Announcer
  readonly #countOthers: ReturnType<typeof countOthers>
  readonly #evictOldest: ReturnType<typeof evictOldest>

  constructor(driver: Driver, tables: TableAccess, names: TableNames, announcer: Announcer) {
    this.#announcer = announcer
    this.#driver = driver
    this.#tables = tables
    this.#names = names
    this.#countOthers = countOthers(names)
    this.#evictOldest = evictOldest(names)
  }

  /**
   * @throws {TooManySessionsError} The cap refuses it. Nothing has changed.
   * @throws {StoreUnavailableError} With outcome `unknown` only if the answer to the commit got lost.
   */
  async signIn<Call, Answer>(
    signIn: CappedSignIn<Call, Answer>,
    options?: CallOptions,
  ): Promise<Capped<Answer>> {
    const { userId, cap, operation, call } = signIn
    let evicted: readonly string[] = []
    const tell = (): void => this.#announcer.announce(evictions(evicted))
    const signingIn = this.#tables.use(options, (deadline) =>
      inLockedTransaction<Capped<Answer> | null>(
        this.#driver,
        { name: 'capped_sign_in', lock: this.#lockOf(userId), deadline },
        async (ask) => {
          if (cap.beyond === 'refuse' && (await ask(this.#countOthers, signIn)) >= cap.count) {
            return { answer: null, keeps: false }
          }
          evicted = cap.beyond === 'refuse' ? [] : await ask(this.#evictOldest, signIn)
          const answer = await ask(operation, call)
          const keeps = signIn.isDone(answer)
          if (!keeps) evicted = []
          signIn.onEvicting?.(evicted)
          return { answer: { answer, evicted }, keeps }
        },
      ),
    )
    const done = await signingIn.catch((error: unknown) => {
      // They may have ended: a listener then looks.
      if (isUnknown(error)) tell()
      throw error
    })
    if (done === null) throw new TooManySessionsError(cap.count)
    tell()
    return done
  }

  /** One lock for each user of these tables. Users that share one by accident only wait for each other. */
  #lockOf(userId: string): bigint {
    const name = `pg-sessions user ${this.#names.session} ${userId}`
    return createHash('sha256').update(name).digest().readBigInt64BE()
  }
}
