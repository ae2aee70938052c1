/** How statements are shared. */
export interface BatchLimits {
  /** Statements in flight below which a call goes alone at once. */
  readonly slots: number
  /** Most statements in flight, when calls have waited for `patience` and still no slot is free. */
  readonly mostSlots: number
  /**
   * Milliseconds that a statement which is held up delays the calls behind it, and that calls without a
   * waiting caller are collected for.
   */
  readonly patience: number
  /** Most calls that share a statement. */
  readonly batch: number
  /** Most bytes that they carry together. A call that carries more goes alone. */
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
