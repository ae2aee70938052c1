import type { SessionStore } from '../../store/session-store.ts'

/** A store under test, with what a test needs beside it. */
export interface StoreHarness {
  readonly store: SessionStore
  /**
   * Lets time pass for the store, in milliseconds: moves its clock forward, or every stored time
   * (but for an infinite one) as far into the past.
   */
  elapse(milliseconds: number): Promise<void>
  /** Frees what the harness holds. The store may be closed already. */
  dispose(): Promise<void>
}

/** Declares one test: a sentence of behaviour, and what shows it on a harness of its own. */
export type StoreTest = (sentence: string, body: (harness: StoreHarness) => Promise<void>) => void
