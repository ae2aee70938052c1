import { PostgresStore } from '../../postgres/postgres-store.ts'
import { TableAccess } from '../../postgres/table-access.ts'
import { resolveTableNames } from '../../postgres/table-names.ts'
import { type Purger, purgeAll, startPurger } from '../../session/purger.ts'
import { SessionEventHub } from '../../session/session-events.ts'
import { UpdateQueue } from '../../session/update-queue.ts'
import type { Deadline } from '../../store/deadline.ts'
import type { Entry, PresentedToken } from '../../store/session-store.ts'
import { isUserId } from '../../store/user-id.ts'
import { countUp } from './operations/count-up.ts'
import { putValue } from './operations/put-value.ts'
import { takeValue } from './operations/take-value.ts'
import { ReadContext } from './read-context.ts'
import {
  isSessionList,
  listedUser,
  mergeSession,
  readSessionValue,
  type SessionValue,
  writeSessionList,
} from './session-value.ts'
import type { BetterAuthSettings } from './settings.ts'
import { type KeyIdentity, ValueSeal } from './value-seal.ts'

/** The one entry of a row. */
const VALUE = Buffer.from('value')

/**
 * Keeps what better-auth stores in the tables of sessions: a row for each key, which expires and is purged as a
 * session is. A session of better-auth is its user's, so lists and ends by user find it.
 */
export class AuthStorage {
  readonly #settings: BetterAuthSettings
  readonly #store: PostgresStore
  readonly #tables: TableAccess
  readonly #seal: ValueSeal
  readonly #events: SessionEventHub
  readonly #operations: {
    readonly put: ReturnType<typeof putValue>
    readonly take: ReturnType<typeof takeValue>
    readonly countUp: ReturnType<typeof countUp>
  }
  readonly #reads = new ReadContext()
  readonly #updates = new UpdateQueue()
  #purger: Purger | null = null

  constructor(settings: BetterAuthSettings) {
    const { database: driver, secrets, schema, tables, migrate, deadline, log } = settings
    this.#settings = settings
    this.#seal = new ValueSeal(secrets)
    this.#events = new SessionEventHub(log)
    const store = new PostgresStore({
      driver,
      schema,
      tables,
      migrate,
      deadline: `${deadline}ms`,
      log,
    })
    this.#store = store
    const prepare = (): Promise<void> => store.ready()
    this.#tables = new TableAccess({ driver, deadline, preparation: 'migrate', prepare })
    const names = resolveTableNames({ schema, tables })
    this.#operations = { put: putValue(names), take: takeValue(names), countUp: countUp(names) }
  }

  /** Not async, so that what its caller does next knows of the read. */
  get(key: string): Promise<string | null> {
    this.#startPurger()
    const user = listedUser(key)
    const identity = this.#seal.identify(key)
    const read = this.#reads.begin(identity.id)
    const reading = user === null ? this.#text(identity) : this.#listOf(user, identity)
    return reading.then((text) => {
      read.text = text
      return text
    })
  }

  async set(key: string, text: string, lifetime: number): Promise<void> {
    this.#startPurger()
    // A list of sessions is read from the sessions themselves, so no concurrent sign-in is lost from it.
    if (listedUser(key) !== null && isSessionList(text)) return
    const identity = this.#seal.identify(key)
    const session = sessionUnder(key, text)
    const base = session === null ? undefined : this.#reads.of(identity.id)
    if (session !== null && base !== undefined) {
      return this.#change(identity, session.userId, { base, text, lifetime })
    }
    const { id, secretHash } = identity
    await this.#tables.ask(this.#operations.put, {
      id,
      hash: secretHash,
      userId: session?.userId ?? null,
      key: VALUE,
      value: this.#seal.seal(id, text),
      lifetime,
    })
  }

  async getAndDelete(key: string): Promise<string | null> {
    this.#startPurger()
    const { id } = this.#seal.identify(key)
    const sealed = await this.#tables.ask(this.#operations.take, { id, key: VALUE })
    return sealed && this.#open(id, sealed)
  }

  increment(key: string, lifetime: number): Promise<number> {
    this.#startPurger()
    const { id, secretHash: hash } = this.#seal.identify(key)
    return this.#tables.ask(this.#operations.countUp, { id, hash, lifetime })
  }

  async delete(key: string): Promise<void> {
    this.#startPurger()
    const { id, secretHashes } = this.#seal.identify(key)
    await this.#store.destroy({ id, secretHashes })
  }

  async close(): Promise<void> {
    await this.#purger?.stop()
    await this.#tables.close()
    await this.#store.close()
  }

  /**
   * Writes what a caller has changed in a session, if the session still lives: a slow request brings no ended
   * session back.
   */
  #change(
    identity: KeyIdentity,
    userId: string,
    { base, text, lifetime }: SessionChange,
  ): Promise<void> {
    const { id } = identity
    const deadline = this.#tables.runner.begin()
    const guard = { id, userId, lifetime: { idle: lifetime, purge: lifetime }, key: VALUE }
    return this.#updates.run({ id, userId }, 'value', deadline, async (latest) => {
      let expected = latest ?? (await this.#read(identity, deadline))
      while (expected !== null) {
        const current = this.#open(id, expected)
        const merged = current === null ? text : mergeSession(base, text, current)
        const value = this.#seal.seal(id, merged)
        const result = await this.#store.update({ ...guard, expected, value }, { deadline })
        if (result.status === 'updated') return value
        expected = result.status === 'changed' ? result.current : null
      }
      const message =
        'a session of better-auth ended, so changes that a request made to it were dropped'
      this.#settings.log.info({ sessionId: id }, message)
      return null
    })
  }

  async #text(identity: KeyIdentity): Promise<string | null> {
    const sealed = await this.#read(identity)
    return sealed && this.#open(identity.id, sealed)
  }

  async #read(token: PresentedToken, deadline?: Deadline): Promise<Uint8Array | null> {
    const result = await this.#store.load(token, { deadline })
    return result.status === 'live' ? findValue(result.record.entries) : null
  }

  async #listOf(userId: string, identity: KeyIdentity): Promise<string | null> {
    const stored = isUserId(userId) ? await this.#store.readUser(userId) : []
    const sessions = stored.flatMap(({ id, entries, expiresAt, now }) => {
      const sealed = expiresAt > now ? findValue(entries) : null
      const text = sealed && this.#open(id, sealed)
      const session = text === null ? null : readSessionValue(text)
      return session ?? []
    })
    return writeSessionList(sessions) ?? this.#text(identity)
  }

  /** A value that no secret opens counts as absent: its session is signed out, and the log says why. */
  #open(id: string, sealed: Uint8Array): string | null {
    const text = this.#seal.open(id, sealed)
    if (text === null) {
      this.#settings.log.warn(
        { sessionId: id },
        'a value of better-auth was sealed with a secret that betterAuthStorage does not have; list former secrets after the current one',
      )
    }
    return text
  }

  #startPurger(): void {
    const { purgeInterval, log } = this.#settings
    if (this.#purger !== null || purgeInterval === Number.POSITIVE_INFINITY) return
    const purge = (signal: AbortSignal): Promise<number> =>
      purgeAll(this.#store, this.#events, { signal })
    this.#purger = startPurger(purge, purgeInterval, log)
  }
}

interface SessionChange {
  /** What the caller has read. */
  readonly base: string
  /** What it has made of that. */
  readonly text: string
  readonly lifetime: number
}

/** The session that a value holds, if it is stored under that session's token, of a user whom a row can have. */
function sessionUnder(key: string, text: string): SessionValue | null {
  const session = readSessionValue(text)
  return session?.token === key && isUserId(session.userId) ? session : null
}

function findValue(entries: readonly Entry[]): Uint8Array | null {
  return entries.find(({ key }) => VALUE.equals(key))?.value ?? null
}
