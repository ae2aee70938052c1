import type pg from 'pg'
import {
  createSessions,
  type Logger,
  MemoryStore,
  PostgresStore,
  type SessionEvents,
  type SessionStore,
  type Sessions,
  type StoreSettings,
} from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { afterAll, afterEach, beforeAll, describe } from 'vitest'
import { Visitor } from './each-store-visitor.ts'
import { type WatchedStore, watchStore } from './each-store-watch.ts'
import { elapse, openPostgresStore, type PostgresStoreHarness } from './postgres-store.ts'

/** Sessions on an empty store, with everything a test sees of them. */
export interface Bench<Data extends object> {
  readonly sessions: Sessions<Data>
  /** What the sessions ask of their store; can hold a call back, or fail it. */
  readonly watched: WatchedStore
  /** What has happened, in order: `['created', { sessionId, userId }]`. */
  readonly events: EventRecord[]
  /** What went to the log, in order. */
  readonly lines: LogLine[]
  /** Other sessions on the same store, as another process or the next release has them. */
  alongside(settings?: Omit<StoreSettings, 'store'>): Sessions<Data>
  /** A client with a cookie jar of its own. */
  visitor(token?: string): Visitor<Data>
  /** Lets time pass for the store. */
  elapse(milliseconds: number): Promise<void>
  /** How many sessions are stored, dead ones included. */
  stored(): Promise<number>
}

export type EventRecord = {
  [Name in keyof SessionEvents]: [name: Name, event: SessionEvents[Name]]
}[keyof SessionEvents]

export interface LogLine {
  readonly level: keyof Logger
  readonly facts: object
  readonly message: string
}

/** Opens sessions on an empty store. Closed when the test is over. */
export type OpenBench = <Data extends object = Record<string, unknown>>(
  settings?: Omit<StoreSettings, 'store'>,
) => Promise<Bench<Data>>

interface Ground {
  readonly store: SessionStore
  elapse(milliseconds: number): Promise<void>
}

/** Declares the same tests for sessions on every store there is. */
export function eachStore(declare: (open: OpenBench, storeName: string) => void): void {
  describe('on MemoryStore', () => {
    declare(
      benches(async () => memoryGround()),
      'memory',
    )
  })
  describe('on PostgresStore', () => {
    let harness: PostgresStoreHarness
    beforeAll(async () => {
      harness = await openPostgresStore()
    })
    afterAll(() => harness.dispose())
    declare(
      benches(() => postgresGround(harness.pool)),
      'postgres',
    )
  })
}

function memoryGround(): Ground {
  let ahead = 0
  return {
    store: new MemoryStore({ now: () => Date.now() + ahead }),
    elapse: async (milliseconds) => {
      ahead += milliseconds
    },
  }
}

async function postgresGround(pool: pg.Pool): Promise<Ground> {
  await pool.query('delete from sessions.session')
  return {
    store: new PostgresStore({ driver: fromPg(pool), migrate: 'off' }),
    elapse: (milliseconds) => elapse(pool, milliseconds),
  }
}

function benches(layGround: () => Promise<Ground>): OpenBench {
  const open: { close(): Promise<void> }[] = []
  afterEach(async () => {
    await Promise.all(open.splice(0).map((sessions) => sessions.close()))
  })

  return async <Data extends object>(settings: Omit<StoreSettings, 'store'> = {}) => {
    const { store, elapse } = await layGround()
    const watched = watchStore(store)
    const lines: LogLine[] = []
    const log = recordingLogger(lines)
    const alongside = (settings: Omit<StoreSettings, 'store'> = {}): Sessions<Data> =>
      createSessions<Data>({ log, ...settings, store: watched.store })
    const sessions = alongside(settings)
    open.push(sessions)
    return {
      sessions,
      alongside,
      watched,
      events: recordEvents(sessions),
      lines,
      visitor: (token) => new Visitor(sessions, token),
      elapse,
      async stored() {
        const { live, expired } = await store.count()
        return live + expired
      },
    }
  }
}

const EVENT_NAMES = Object.keys({
  created: true,
  rotated: true,
  signedIn: true,
  cleared: true,
  destroyed: true,
  expired: true,
  purged: true,
  decodeFailed: true,
  tokenUnknown: true,
  tokenRefused: true,
  storeUnavailable: true,
} satisfies Record<keyof SessionEvents, true>) as (keyof SessionEvents)[]

function recordEvents(sessions: Pick<Sessions, 'on'>): EventRecord[] {
  const events: EventRecord[] = []
  for (const name of EVENT_NAMES) {
    sessions.on(name, (event) => {
      events.push([name, event] as EventRecord)
    })
  }
  return events
}

function recordingLogger(lines: LogLine[]): Logger {
  const write =
    (level: keyof Logger) =>
    (facts: object, message: string): void => {
      lines.push({ level, facts, message })
    }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}
