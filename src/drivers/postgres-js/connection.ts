import postgres from 'postgres'
import type { QueryOptions, Row, Statement } from '../../postgres/driver.ts'
import { realTime } from '../../real-time.ts'
import { markStartupFailure } from '../failures/startup-failure.ts'
import { isAboutStatement } from '../waiting/about-statement.ts'
import { ConnectionLostError } from '../waiting/connection-lost-error.ts'
import { within } from '../waiting/deadline.ts'
import { Turns } from '../waiting/turns.ts'
import { checkedRows } from '../waiting/wrong-answer.ts'
import type { PostgresJsSettings } from './client.ts'
import { Dialer } from './dialer.ts'

/** A query of postgres.js whose rows meet no parser: one buffer or null for each column. */
interface RawQuery extends Promise<RawRows> {
  /** Private to postgres.js: set once the query was written to a ready connection. */
  readonly state?: unknown
  /** Private to postgres.js: asks the server to stop the query. */
  readonly canceller?: ((query: RawQuery) => Promise<unknown>) | null
}

type RawRows = readonly (readonly unknown[])[] & {
  readonly columns: readonly { readonly name: string }[]
}

/** The server infers the type of such a parameter, and postgres.js has no serializer for it. */
const UNKNOWN_TYPE = 705

/** What a connection needs whatever the application's client is set to. */
function ownSettings(settings: PostgresJsSettings): object {
  const attributes = settings.target_session_attrs
  return {
    ...settings,
    max: 1,
    idle_timeout: null,
    max_lifetime: null,
    // Neither the application's types nor its transformations may change what a session holds.
    fetch_types: false,
    types: {},
    parsers: {},
    serializers: {},
    transform: { undefined: undefined, column: {}, value: {}, row: {} },
    connection: { ...settings.connection, client_encoding: 'UTF8' },
    // It would be shown every value.
    debug: false,
    onnotify: undefined,
    onnotice: settings.onnotice ?? (() => {}),
    parameters: {},
    shared: { retries: 0, typeArrayMap: {} },
    // A session is written, so a standby will not do.
    target_session_attrs: attributes === 'prefer-standby' ? 'read-write' : attributes,
  }
}

/** Postgres.js awaits a password that a function gives, but hears of no failure: nothing would end the startup. */
function passwordOf({ pass }: PostgresJsSettings, fail: (error: unknown) => void): unknown {
  if (typeof pass !== 'function') return pass
  return async () => {
    try {
      return await pass()
    } catch (error) {
      fail(error)
      return await new Promise(() => {})
    }
  }
}

/**
 * One connection of postgres.js that only the driver uses: one statement at a time, never pipelined, and
 * never used again once an answer was late, wrong or cut off.
 *
 * Postgres.js sends statements behind others that are in flight, and several faults of its then shift
 * each later answer by one. So this is a client of its own with a single connection, thrown away as a
 * whole.
 */
export class PostgresJsConnection {
  readonly #sql: postgres.Sql
  readonly #dialer: Dialer
  readonly #turns = new Turns()
  readonly #onDeath: () => void
  #latest: RawQuery | undefined
  #isReady = false
  #bedtime: NodeJS.Timeout | undefined
  #death: unknown

  /** @param onDeath - Called once, when the connection must not be used again. */
  constructor(settings: PostgresJsSettings, onDeath: () => void) {
    this.#onDeath = onDeath
    this.#dialer = new Dialer(settings)
    const socket = (): Promise<unknown> =>
      this.#isReady || wasSent(this.#latest) ? this.#dialer.dialAgain() : this.#dialer.dial()
    const onclose = (id: number): void => {
      this.discard(new ConnectionLostError())
      settings.onclose?.(id)
    }
    const pass = passwordOf(settings, (error) => this.#dialer.fail(error))
    this.#sql = postgres({ ...ownSettings(settings), pass, socket, onclose } as postgres.Options<
      Record<string, postgres.PostgresType>
    >)
  }

  get isDead(): boolean {
    return this.#death !== undefined
  }

  /** Runs one statement, after those that were sent before. */
  async ask(
    { text, values }: Statement,
    { prepare, timeout, check }: Omit<QueryOptions, 'prepare'> & { readonly prepare: boolean },
  ): Promise<readonly Row[]> {
    const raw = await this.#send(timeout, () => {
      const parameters = values.map((value) => this.#sql.typed(value as never, UNKNOWN_TYPE))
      return this.#sql.unsafe(text, parameters as never, { prepare, simple: false } as never)
    })
    return checkedRows(readRows(raw), check, (problem) => this.discard(problem))
  }

  /** Runs several statements by the simple protocol. */
  async run(text: string): Promise<void> {
    await this.#send(undefined, () =>
      this.#sql.unsafe(text, [], { prepare: false, simple: true } as never),
    )
  }

  /** Lets the process end although the connection is open, and closes it if nothing wakes it in time. */
  rest(milliseconds: number): void {
    this.#dialer.setIdle(true)
    this.#bedtime = realTime.setTimeout(() => void this.close(), milliseconds)
    this.#bedtime.unref()
  }

  /** Ends a rest. */
  wake(): void {
    realTime.clearTimeout(this.#bedtime)
    this.#dialer.setIdle(false)
  }

  /** Drops the connection at once, whatever is in flight. Every later statement fails for this reason. */
  discard(reason: unknown): void {
    if (this.#death !== undefined) return
    this.#die(reason)
    this.#sql.end({ timeout: 0 }).catch(() => {})
    this.#dialer.close()
  }

  /** Says goodbye to the server. Only for a connection without a statement in flight. */
  async close(): Promise<void> {
    if (this.#death !== undefined) return
    this.#die(new ConnectionLostError())
    await this.#sql.end({ timeout: 1 }).catch(() => {})
    this.#dialer.close()
  }

  /** Until the statement is sent, it fails with the startup; from then on, only its own failure tells what happened. */
  #orStartupFailure(query: RawQuery): Promise<RawRows> {
    const failure = this.#dialer.failure.catch((error: unknown) => {
      if (wasSent(query)) return query
      throw error
    })
    return Promise.race([query, failure])
  }

  #die(reason: unknown): void {
    this.#death = reason
    realTime.clearTimeout(this.#bedtime)
    this.#onDeath()
  }

  async #send(timeout: number | undefined, make: () => { raw(): unknown }): Promise<RawRows> {
    const endTurn = await this.#turns.take(timeout)
    let query: RawQuery | undefined
    try {
      if (this.#death !== undefined) throw this.#death
      query = make().raw() as RawQuery
      this.#latest = query
      const answer = this.#isReady ? query : this.#orStartupFailure(query)
      const phase = () => (wasSent(this.#latest) ? 'read' : 'connect')
      const rows = await within(timeout ?? Number.POSITIVE_INFINITY, phase, answer, {
        giveUp: () => cancel(this.#latest),
      })
      this.#isReady = true
      return rows
    } catch (error) {
      if (query !== undefined && !wasSent(query)) markStartupFailure(error)
      if (!isAboutStatement(error)) this.discard(error)
      throw error
    } finally {
      endTurn()
    }
  }
}

function wasSent(query: RawQuery | undefined): boolean {
  return query?.state !== undefined && query.state !== null
}

/** Has the server stop a statement. It is asked on a connection of its own, which may fail. */
function cancel(query: RawQuery | undefined): void {
  if (wasSent(query)) query?.canceller?.(query).catch(() => {})
}

function readRows(rows: RawRows): readonly Row[] {
  const names = rows.columns.map(({ name }) => name)
  return rows.map((cells) =>
    Object.fromEntries(
      names.map((name, index) => [name, cells[index] === null ? null : String(cells[index])]),
    ),
  )
}
