import type { QueryOptions, Row, Statement } from '../../postgres/driver.ts'
import { realTime } from '../../real-time.ts'
import { isSqlState } from '../failures/client-facts.ts'
import { markStartupFailure } from '../failures/startup-failure.ts'
import { isAboutStatement } from '../waiting/about-statement.ts'
import { ConnectionLostError } from '../waiting/connection-lost-error.ts'
import { countdown, within } from '../waiting/deadline.ts'
import type { OwnConnection } from '../waiting/own-connections.ts'
import { Turns } from '../waiting/turns.ts'
import { checkedRows } from '../waiting/wrong-answer.ts'
import { type BunClient, type BunQuery, type BunSqlSettings, bunSqlClass } from './client.ts'
import { networkFault } from './network-fault.ts'

/** Milliseconds for which Bun tries to connect again and again, where the client has no `connectionTimeout`. */
const PATIENCE = 5_000

/** What a connection needs whatever the application's client is set to. */
function ownSettings(settings: BunSqlSettings): object {
  return {
    ...settings,
    // Bun keeps the startup parameters of a client in one text, and does not read that of another client.
    connection: { ...parametersOf(settings.query), ...settings.connection },
    max: 1,
    idleTimeout: 0,
    maxLifetime: 0,
    connectionTimeout: (settings.connectionTimeout ?? PATIENCE) / 1000,
  }
}

function parametersOf(query: string | undefined): Record<string, string> {
  const words = (query ?? '').split('\0')
  const pairs: [string, string][] = []
  for (let index = 0; index + 1 < words.length; index += 2) {
    pairs.push([words[index] ?? '', words[index + 1] ?? ''])
  }
  return Object.fromEntries(pairs.filter(([name]) => name !== ''))
}

/**
 * One connection of `Bun.SQL` that only the driver uses: one statement at a time, never pipelined, and never
 * used again once an answer was late, wrong or cut off.
 *
 * Bun cannot drop one connection of a client. So this is a client of its own with a single connection, thrown
 * away as a whole.
 */
export class BunSqlConnection implements OwnConnection {
  readonly #settings: BunSqlSettings
  readonly #sql: BunClient
  readonly #turns = new Turns()
  readonly #onDeath: () => void
  #isReady = false
  #isSent = false
  #bedtime: NodeJS.Timeout | undefined
  #death: unknown

  /** @param onDeath - Called once, when the connection must not be used again. */
  constructor(settings: BunSqlSettings, onDeath: () => void) {
    this.#settings = settings
    this.#onDeath = onDeath
    const SQL = bunSqlClass() as new (settings: object) => BunClient
    // Bun would connect again for the next statement, in the middle of a transaction too.
    const onclose = (): void => {
      if (this.#isReady && !this.#isSent) this.discard(new ConnectionLostError())
    }
    this.#sql = new SQL({ ...ownSettings(settings), onclose })
  }

  get isDead(): boolean {
    return this.#death !== undefined
  }

  /** Runs one statement, after those that were sent before. */
  async ask(
    { text, values }: Statement,
    { timeout, check }: QueryOptions,
  ): Promise<readonly Row[]> {
    const rows = await this.#send(timeout, () => this.#sql.unsafe(asText(text), values))
    return checkedRows(rows.map(readRow), check, (problem) => this.discard(problem))
  }

  /** Runs several statements by the simple protocol. */
  async run(text: string): Promise<void> {
    await this.#send(Number.POSITIVE_INFINITY, () => this.#sql.unsafe(text).simple())
  }

  rest(milliseconds: number): void {
    this.#bedtime = realTime.setTimeout(() => void this.close(), milliseconds)
    this.#bedtime.unref()
  }

  wake(): void {
    realTime.clearTimeout(this.#bedtime)
  }

  discard(reason: unknown): void {
    if (this.#death !== undefined) return
    this.#die(reason)
    this.#sql.close({ timeout: 0 }).catch(() => {})
  }

  async close(): Promise<void> {
    if (this.#death !== undefined) return
    this.#die(new ConnectionLostError())
    await this.#sql.close({ timeout: 1 }).catch(() => {})
  }

  #die(reason: unknown): void {
    this.#death = reason
    realTime.clearTimeout(this.#bedtime)
    this.#onDeath()
  }

  async #send(timeout: number, make: () => BunQuery): Promise<readonly object[]> {
    const left = countdown(timeout)
    const endTurn = await this.#turns.take(timeout)
    try {
      if (this.#death !== undefined) throw this.#death
      await this.#connect(left())
      this.#isSent = true
      const query = make()
      return await within(left(), 'read', query, { giveUp: () => query.cancel() })
    } catch (error) {
      const reason = this.#isReady ? withSqlState(error) : await this.#whyNot(error, left())
      if (!this.#isReady) markStartupFailure(reason)
      if (!isAboutStatement(reason)) this.discard(reason)
      throw reason
    } finally {
      this.#isSent = false
      endTurn()
    }
  }

  /** Bun says no more than that it failed to connect. The network says why. */
  async #whyNot(error: unknown, timeout: number): Promise<unknown> {
    const { code } = Object(error) as { readonly code?: unknown }
    if (!CONNECT_FAILED.has(code)) return withSqlState(error)
    return (await networkFault(this.#settings, timeout)) ?? error
  }

  async #connect(timeout: number): Promise<void> {
    if (this.#isReady) return
    await within(timeout, 'connect', this.#sql.connect())
    this.#isReady = true
  }
}

/** The second is that of Bun before 1.4. */
const CONNECT_FAILED: ReadonlySet<unknown> = new Set([
  'ERR_POSTGRES_CONNECTION_REFUSED',
  'ERR_POSTGRES_CONNECTION_CLOSED',
])

/** Bun has a code of its own for what the server says, and the SQLSTATE in another field. */
function withSqlState(error: unknown): unknown {
  const { errno } = Object(error) as { readonly errno?: unknown }
  return typeof errno === 'string' && isSqlState(errno)
    ? Object.assign(error as object, { code: errno })
    : error
}

const texts = new Map<string, string>()

/**
 * Has the server read every parameter from text. Bun writes a parameter as the type that the server infers:
 * it puts quotes around JSON, and reads dates and numbers itself.
 */
function asText(text: string): string {
  const known = texts.get(text) ?? text.replaceAll(/\$(\d+)::(?!text\b(?!\[))/g, '$$$1::text::')
  texts.set(text, known)
  return known
}

function readRow(row: object): Row {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, value === null ? null : String(value)]),
  )
}
