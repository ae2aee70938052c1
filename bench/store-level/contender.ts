import type { Visitor } from '../data/visitors.ts'

/** What a store is asked to do; the same words for all contenders. */
export type OperationName =
  /** A page that reads: load, and a touch where the store would make one. */
  | 'read request'
  /** A page that writes: load, and save one changed key. */
  | 'write request'
  | 'load'
  | 'save'
  | 'touch'
  | 'first save'
  | 'destroy'
  /** Reads one small key, and leaves large values where they are. */
  | 'read one key'
  /** Replaces the largest value. */
  | 'write the largest'

export const OPERATIONS: readonly OperationName[] = [
  'read request',
  'write request',
  'load',
  'save',
  'touch',
  'first save',
  'destroy',
]

/** Does one thing to one visitor's session. */
export type Operation = (visitor: Visitor) => Promise<unknown>

/** One way of keeping sessions. */
export interface Contender {
  readonly operations: Readonly<Partial<Record<OperationName, Operation>>>
  /** Waits for what an operation has left to be done later. */
  settle?(): Promise<void>
}

/** Where the servers are; null for one that is missing. */
export interface Servers {
  readonly postgres: string
  readonly redis: string | null
  readonly durableRedis: string | null
}

/** Sessions that lie apart from all others. */
export interface Dataset {
  /** A word; names the schema, the table or the prefix of keys. */
  readonly name: string
  /** What each session holds: any keys, one of them the number `visits`, which saves change. */
  readonly data: Readonly<Record<string, unknown>>
}

/** Opens a store for a dataset, as yet without sessions. */
export type OpenContender = (servers: Servers, dataset: Dataset) => Promise<Contender>

/** Does something for every visitor, a few at a time. */
export async function forEach(visitors: readonly Visitor[], work: Operation): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    for (let visitor = visitors[next++]; visitor; visitor = visitors[next++]) await work(visitor)
  }
  await Promise.all(Array.from({ length: 64 }, worker))
}
