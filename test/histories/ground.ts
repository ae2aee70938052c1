import type pg from 'pg'
import type { StoreSettings } from 'pg-sessions'
import type { SessionStore } from 'pg-sessions/store'
import type { Weather } from './faulty-driver.ts'
import type { Lane } from './program.ts'
import type { ModelRules } from './session-model.ts'

/** A kind of store, and a place where programs run one after the other. */
export interface Ground {
  /** Empties the place and opens it for some processes. */
  open(weather: Weather, options: PlaceOptions): Promise<Place>
  close(): Promise<void>
  /** What its sessions need to be told. */
  readonly settings?: Partial<StoreSettings>
  /** Leaves out what its store has no place for. */
  narrow?(lane: Lane): Lane
  /** What differs from the other stores. */
  readonly rules?: ModelRules
}

export interface PlaceOptions {
  /** Whether calls share statements. */
  readonly shares: boolean
  /** Milliseconds that a call may take. */
  readonly deadline: number
}

interface Place {
  /** A store for each process. */
  readonly stores: readonly SessionStore[]
  /** A store that no fault reaches. */
  readonly calm: SessionStore
  elapse(milliseconds: number): Promise<void>
  /** Waits until nothing goes on any more, since every call has ended; says what does not end. */
  rest(): Promise<string | null>
}

/** A client that is being connected counts as well, until it is idle. */
export async function untilAtRest(pools: readonly pg.Pool[]): Promise<string | null> {
  for (let looks = 0; looks < 1000; looks++) {
    const isAtRest = pools.every(
      ({ totalCount, idleCount, waitingCount }) => totalCount === idleCount && waitingCount === 0,
    )
    if (isAtRest) return null
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return 'a client was not given back to its pool'
}
