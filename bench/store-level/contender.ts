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

/** One way of keeping sessions, opened in a process of its own. */
export interface Contender {
  readonly operations: Readonly<Partial<Record<OperationName, Operation>>>
  /** Waits for what an operation has left to be done later. */
  settle?(): Promise<void>
}

/** Where the servers are; null for one that is missing. */
export interface Servers {
  readonly postgres: string
  readonly redis: string | null
}

/** Opens a contender whose store holds a session for each visitor. */
export type OpenContender = (servers: Servers, visitors: readonly Visitor[]) => Promise<Contender>

/** Does something for every visitor, a few at a time. */
export async function forEach(
  visitors: readonly Visitor[],
  work: (visitor: Visitor) => Promise<unknown>,
): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    for (let visitor = visitors[next++]; visitor; visitor = visitors[next++]) await work(visitor)
  }
  await Promise.all(Array.from({ length: 64 }, worker))
}
