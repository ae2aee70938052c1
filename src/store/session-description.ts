import type { Precondition } from './session-change.ts'

/** What to note of a live session's device. */
export interface Description extends Precondition {
  /** A JSON object as text, of at most 1024 bytes; null to forget what was noted. */
  readonly device: string | null
}

/** Whether it was noted. */
export interface DescribeResult {
  readonly status: 'described' | 'gone'
}
