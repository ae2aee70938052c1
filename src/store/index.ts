/**
 * The contract between sessions and the place where they are kept, for authors of stores.
 *
 * @module
 */
export { type CallOptions, Deadline } from './deadline.ts'
export type * from './session-store.ts'
