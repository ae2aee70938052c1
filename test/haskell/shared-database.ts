import { readFileSync } from 'node:fs'
import pg from 'pg'
import {
  type Codec,
  createSessions,
  type SessionEvents,
  type Sessions,
  type StoreSettings,
} from 'pg-sessions'
import { type WaiOptions, WaiStore, waiSettings } from 'pg-sessions/haskell'
import { cereal, cerealCodec } from 'pg-sessions/haskell/cereal'
import { fromPg } from 'pg-sessions/pg'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { Visitor } from '../support/each-store-visitor.ts'
import { OriginalSide } from './original-side.ts'

/** What a Haskell `Session IO String String` holds. */
export type Texts = Record<string, string>

export const codec: Codec = cerealCodec({ key: cereal.string, value: cereal.string })

/** A row of `wai_pg_sessions`. */
interface SessionRow {
  readonly id: string
  readonly session_key: string
  readonly session_created_at: string
  readonly session_last_access: string
  readonly session_invalidate_key: boolean
}

/** A database that both sides use, empty before each test. */
export interface SharedDatabase {
  readonly database: TestDatabase
  readonly pool: pg.Pool
  readonly original: OriginalSide
  sessions(options?: Partial<WaiOptions>, more?: Partial<StoreSettings>): Sessions<Texts>
  /** A browser that goes to our side. */
  visitor(key?: string | null, options?: Partial<WaiOptions>): Visitor<Texts>
  row(key: string): Promise<SessionRow | undefined>
  rows(): Promise<SessionRow[]>
  /** Lets time pass for both sides. */
  elapse(seconds: number): Promise<void>
  /** Lets a `loginTime` of one millisecond pass by the database's clock. */
  loginTimePasses(): Promise<void>
}

/** Opens a database for the tests of a file, with the original's tables in it. */
export function shareDatabase(): SharedDatabase {
  const open: Sessions<Texts>[] = []
  let database: TestDatabase | undefined
  let pool: pg.Pool | undefined
  const get = <Thing>(thing: Thing | undefined): Thing => {
    if (thing === undefined) throw new Error('not open yet')
    return thing
  }
  const query = async (sql: string, values: unknown[] = []): Promise<SessionRow[]> =>
    (await get(pool).query<SessionRow>(sql, values)).rows

  beforeAll(async () => {
    database = await createTestDatabase()
    pool = new pg.Pool({ connectionString: database.url, max: 10 })
    await new WaiStore({ driver: fromPg(pool), timeout: '1h', deadline: '30s' }).ready()
  })
  afterEach(async () => {
    await Promise.all(open.splice(0).map((sessions) => sessions.close()))
    await get(pool).query('delete from wai_pg_sessions')
  })
  afterAll(async () => {
    await pool?.end()
    await database?.drop()
  })

  const shared: SharedDatabase = {
    get database() {
      return get(database)
    },
    get pool() {
      return get(pool)
    },
    get original() {
      return new OriginalSide(get(pool))
    },
    sessions(options = {}, more = {}) {
      const settings = waiSettings({
        database: fromPg(get(pool)),
        timeout: '1h',
        cookie: { name: '__Host-id' },
        codec,
        ...options,
      })
      const sessions = createSessions<Texts>({ log: false, ...settings, ...more })
      open.push(sessions)
      return sessions
    },
    visitor: (key = null, options = {}) => new Visitor(shared.sessions(options), key),
    row: async (key) => {
      return (await query('select * from wai_pg_sessions where session_key = $1', [key]))[0]
    },
    rows: () => query('select * from wai_pg_sessions order by id'),
    elapse: async (seconds) => {
      await query(
        'update wai_pg_sessions set session_last_access = session_last_access - $1, session_created_at = session_created_at - $1',
        [seconds],
      )
    },
    loginTimePasses: async () => {
      await query('select pg_sleep(0.002)')
    },
  }
  return shared
}

/** All that a session holds. */
export async function holds(visitor: Visitor<Texts>): Promise<Texts> {
  return Object.fromEntries(await visitor.visit((session) => session.entries()))
}

/** The names of the events as they come. */
export function eventsOf(
  sessions: Sessions<Texts>,
  names: readonly (keyof SessionEvents)[],
): (keyof SessionEvents)[] {
  const seen: (keyof SessionEvents)[] = []
  for (const name of names) sessions.on(name, () => seen.push(name))
  return seen
}

/** The original's database as it was dumped, and when. */
export const dump: string = readFileSync(
  new URL('../interop/original-database.sql', import.meta.url),
  'utf8',
)

interface ExpectedSession {
  readonly state: string
  readonly sessionKey: string
  readonly data: readonly (readonly [string, string])[]
}

export const expected: {
  readonly t0: number
  readonly sessions: readonly ExpectedSession[]
} = JSON.parse(
  readFileSync(new URL('../interop/original-database.expected.json', import.meta.url), 'utf8'),
)
