import type pg from 'pg'
import {
  createSessions,
  type Logger,
  MemoryStore,
  PostgresStore,
  type SessionEvents,
  type Sessions,
  type StoreSettings,
} from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import type { SessionStore } from 'pg-sessions/store'
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
  /** Other sessions that keep what these do, as another process or the next release has them. */
  alongside(settings?: Omit<StoreSettings, 'store'>): Sessions<Data>
  /** A client with a cookie jar of its own. */
  visitor(token?: string): Visitor<Data>
  /** Resolves once no call of any sessions is under way, so that all accesses are noted. */
  settled(): Promise<void>
  /** Lets time pass for the store. */
  elapse(milliseconds: number): Promise<void>
  /** How many sessions are stored, dead ones included. */
  stored(): Promise<number>
}

export type EventRecord = {
  [Name in keyof SessionEvents]: [name: Name, event: SessionEvents[Name]]
}[keyof SessionEvents]

interface LogLine {
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
  /** A store that keeps its records in the same place. */
  beside(): SessionStore
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
  const store = new MemoryStore({ now: () => Date.now() + ahead })
  return {
    store,
    beside: () => store,
    elapse: async (milliseconds) => {
      ahead += milliseconds
    },
  }
}

async function postgresGround(pool: pg.Pool): Promise<Ground> {
  await pool.query('delete from sessions.session')
  const beside = (): PostgresStore => new PostgresStore({ driver: fromPg(pool), migrate: 'off' })
  return {
    store: beside(),
    beside,
    elapse: (milliseconds) => elapse(pool, milliseconds),
  }
}

function benches(layGround: () => Promise<Ground>): OpenBench {
  const open: { close(): Promise<void> }[] = []
  afterEach(async () => {
    await Promise.all(open.splice(0).map((sessions) => sessions.close()))
  })

  return async <Data extends object>(settings: Omit<StoreSettings, 'store'> = {}) => {
    const { store, beside, elapse } = await layGround()
    const watched = watchStore(store)
    const allWatched = [watched]
    const lines: LogLine[] = []
    const log = recordingLogger(lines)
    const on = (it: SessionStore, settings: Omit<StoreSettings, 'store'>): Sessions<Data> => {
      const sessions = createSessions<Data>({ log, ...settings, store: it })
      open.push(sessions)
      return sessions
    }
    const sessions = on(watched.store, settings)
    return {
      sessions,
      alongside(settings = {}) {
        const another = watchStore(beside())
        allWatched.push(another)
        return on(another.store, settings)
      },
      async settled() {
        for (const { settled } of allWatched) await settled()
      },
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
  renewed: true,
  signedIn: true,
  impersonationEnded: true,
  cleared: true,
  destroyed: true,
  expired: true,
  purged: true,
  decodeFailed: true,
  unsealFailed: true,
  valueUnfit: true,
  sessionUnreadable: true,
  tokenUnknown: true,
  tokenReused: true,
  tokenRefused: true,
  userGone: true,
  storeUnavailable: true,
  adminEnded: true,
  adminViewed: true,
  lateSaveFailed: true,
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
