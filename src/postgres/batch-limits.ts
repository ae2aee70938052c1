/** How statements are shared. */
export interface BatchLimits {
  /** Statements under way while calls go alone rather than wait. */
  readonly slots: number
  /** Statements under way at most, when calls have waited for `patience` and still no slot is free. */
  readonly mostSlots: number
  /**
   * Milliseconds: a statement that is held up does not hold up anybody else for longer, and calls that
   * nobody waits for are collected for as long.
   */
  readonly patience: number
  /** Calls that share a statement at most. */
  readonly batch: number
  /** Bytes that they carry together at most. A call that carries more goes alone. */
  readonly batchBytes: number
}

export const SHARED: BatchLimits = {
  slots: 1,
  mostSlots: 8,
  patience: 10,
  batch: 128,
  batchBytes: 1_048_576,
}

/** Every call by its own statement. */
export const ALONE: BatchLimits = { ...SHARED, slots: Number.POSITIVE_INFINITY, batch: 1 }
