import { randomBytes } from 'node:crypto'
import type { Pool } from 'pg'

/** How the original fails where a row that it takes for granted is not there. */
export class PatternMatchFailure extends Error {}

/** One request's session on the side of wai-session-postgresql. */
export interface OriginalRequest {
  /** The row's id, which it keeps for the whole request. */
  readonly id: string
  lookup(key: string): Promise<string | null>
  insert(key: string, value: string): Promise<void>
  /** What its middleware calls when the response is sent: gives the cookie's value. */
  getNewCookie(): Promise<string>
}

/** A pool, or one client that stands for one. */
export type OriginalDatabase = Pick<Pool, 'query'> & { connect(): Promise<OriginalClient> }

interface OriginalClient extends Pick<Pool, 'query'> {
  release(): void
}

interface OriginalOptions {
  /** Whole seconds. */
  readonly timeout?: number
  /** Seconds since the epoch. */
  readonly clock?: () => number
}

function systemClock(): number {
  return Date.now() / 1000
}

/**
 * The original's side of the tables, statement by statement as it was observed to send them. Each is its
 * own transaction but for `clearSession`. Its clock is the application's, to the nearest second.
 */
export class OriginalSide {
  readonly #database: OriginalDatabase
  readonly #timeout: number
  readonly #clock: () => number

  constructor(
    database: OriginalDatabase,
    { timeout = 3600, clock = systemClock }: OriginalOptions = {},
  ) {
    this.#database = database
    this.#timeout = timeout
    this.#clock = clock
  }

  get now(): number {
    return roundHalfEven(this.#clock())
  }

  /** Finds the cookie's session, or makes one. */
  async open(cookie: string | null): Promise<OriginalRequest> {
    const found =
      cookie === null
        ? []
        : await this.#run(
            'SELECT id FROM wai_pg_sessions WHERE session_key=$1 AND session_last_access>=$2',
            [cookie, this.now - this.#timeout],
          )
    const [row] = found
    if (row !== undefined && cookie !== null) return this.#request(String(row.id), cookie)
    const key = ratherSecureGen(24)
    const [made] = await this.#run(
      'INSERT INTO wai_pg_sessions (session_key,session_created_at,session_last_access) VALUES($1,$2,$3) RETURNING id',
      [key, this.now, this.now],
    )
    return this.#request(String(made?.id), key)
  }

  /** What an application calls at login: step one, in one transaction. */
  async clearSession(cookie: string): Promise<void> {
    const client = await this.#database.connect()
    try {
      await client.query('BEGIN')
      await client.query(
        'UPDATE wai_pg_sessions SET session_invalidate_key=TRUE WHERE session_key=$1',
        [cookie],
      )
      await client.query(
        'DELETE FROM wai_pg_session_data WHERE wai_pg_session IN (SELECT id FROM wai_pg_sessions WHERE session_key=$1)',
        [cookie],
      )
      await client.query('COMMIT')
    } finally {
      client.release()
    }
  }

  async purgeOldSessions(): Promise<void> {
    await this.#run('DELETE FROM wai_pg_sessions WHERE session_last_access<$1', [
      this.now - this.#timeout,
    ])
  }

  #request(id: string, key: string): OriginalRequest {
    return {
      id,
      lookup: async (name) => {
        const [row] = await this.#run(
          'SELECT value FROM wai_pg_session_data WHERE wai_pg_session=$1 AND key=$2',
          [id, haskellString(name)],
        )
        return row === undefined ? null : (row.value as Buffer).subarray(8).toString()
      },
      insert: async (name, value) => {
        await this.#run(
          'INSERT INTO wai_pg_session_data (wai_pg_session,key,value) VALUES ($1,$2,$3) ON CONFLICT (wai_pg_session,key) DO UPDATE SET value=EXCLUDED.value',
          [id, haskellString(name), haskellString(value)],
        )
      },
      getNewCookie: () => this.#newCookie(id, key),
    }
  }

  async #newCookie(id: string, key: string): Promise<string> {
    await this.#run('UPDATE wai_pg_sessions SET session_last_access=$1 WHERE id=$2', [this.now, id])
    const [row] = await this.#run(
      'SELECT session_invalidate_key FROM wai_pg_sessions WHERE session_key=$1',
      [key],
    )
    if (row === undefined) throw new PatternMatchFailure()
    if (row.session_invalidate_key !== true) return key
    const next = ratherSecureGen(24)
    await this.#run(
      'UPDATE wai_pg_sessions SET session_key=$1,session_invalidate_key=FALSE WHERE session_key=$2',
      [next, key],
    )
    return next
  }

  async #run(sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
    const { rows } = await this.#database.query(sql, values)
    return rows
  }
}

/** Each byte in hexadecimal without padding, so that keys have 24 to 48 digits. */
export function ratherSecureGen(bytes: number): string {
  return Array.from(randomBytes(bytes), (byte) => byte.toString(16)).join('')
}

/** `Int64`'s `round`: to the nearest whole number, and halves to the even one. */
export function roundHalfEven(value: number): number {
  const below = Math.floor(value)
  const rest = value - below
  if (rest === 0.5) return below % 2 === 0 ? below : below + 1
  return rest < 0.5 ? below : below + 1
}

/** A `String` as cereal writes it: how many code points, then UTF-8. */
function haskellString(text: string): Buffer {
  const length = Buffer.alloc(8)
  length.writeBigInt64BE(BigInt([...text].length))
  return Buffer.concat([length, Buffer.from(text)])
}
