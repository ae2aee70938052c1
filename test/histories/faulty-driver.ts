import { StoreUnavailableError } from 'pg-sessions'
import type { Driver, ErrorExplanation } from 'pg-sessions/driver'
import type { SessionStore } from 'pg-sessions/store'
import type { Turnstile } from './turnstile.ts'

/** What happens to calls on their way to the database. */
export interface Weather {
  readonly turnstile: Turnstile
  /** Decides about the next call. */
  readonly fate: () => Fate
}

/** What the weather does to one call. */
export type Fate =
  | 'answered'
  /** It never reaches the database. */
  | 'not sent'
  /** It is applied, and its answer gets lost. */
  | 'answer lost'
  /** The caller is told that the connection broke, and it is applied some time later. */
  | 'applied late'

class ConnectionBroke extends Error {
  readonly outcome: 'none' | 'unknown'

  constructor(outcome: 'none' | 'unknown') {
    super('the connection broke')
    this.outcome = outcome
  }
}

/** @param faults - How many of a hundred calls fail. */
export function randomFates(random: () => number, faults: number): () => Fate {
  const fates: readonly Fate[] = ['not sent', 'answer lost', 'answer lost', 'applied late']
  return () =>
    random() * 100 < faults ? (fates[Math.floor(random() * fates.length)] as Fate) : 'answered'
}

/** Sends a call into the weather. */
async function send<Result>(weather: Weather, call: () => Promise<Result>): Promise<Result> {
  const { turnstile } = weather
  const fate = weather.fate()
  if (fate === 'not sent') throw new ConnectionBroke('none')
  if (fate === 'applied late') {
    void turnstile.pass(() => call().catch(() => {}))
    throw new ConnectionBroke('unknown')
  }
  const result = await turnstile.pass(call)
  if (fate === 'answer lost') throw new ConnectionBroke('unknown')
  return result
}

/** What is not committed is not applied later either. */
function transactional({ turnstile, fate }: Weather): Weather {
  return {
    turnstile,
    fate: () => {
      const it = fate()
      return it === 'applied late' ? 'not sent' : it
    },
  }
}

/** A real driver in bad weather. */
export function faultyDriver(driver: Driver, weather: Weather): Driver {
  return {
    ...driver,
    query: (statement, options) => send(weather, () => driver.query(statement, options)),
    // As one call, since its statements wait for nothing that another client would have to do first.
    withConnection: (use, options) =>
      send(transactional(weather), () => driver.withConnection(use, options)),
    explain: (error): ErrorExplanation | undefined =>
      error instanceof ConnectionBroke
        ? { outcome: error.outcome, kind: 'lost', reason: error.message }
        : driver.explain?.(error),
  }
}

/** A store without a driver in the same weather. */
export function faultyStore(store: SessionStore, weather: Weather): SessionStore {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      const call = (...given: unknown[]): unknown => value.apply(target, given)
      if (['close', 'listen', 'ready'].includes(String(name))) return call
      return (...given: unknown[]) =>
        send(weather, async () => call(...given)).catch((error: unknown) => {
          if (!(error instanceof ConnectionBroke)) throw error
          throw new StoreUnavailableError(error.message, error.outcome)
        })
    },
  })
}
