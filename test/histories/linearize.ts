import type { Operation } from './history.ts'

/** What a search found out. */
export type Verdict<State> =
  | { readonly isPossible: true }
  | {
      readonly isPossible: false
      /** The longest order that could have happened, and what could not follow it. */
      readonly order: readonly Operation[]
      readonly state: State
      readonly stuck: readonly Operation[]
    }
  /** There were too many orders to try. */
  | { readonly isPossible: 'undecided' }

/** More would take minutes; no program that a test runs comes near. */
const MOST_STEPS = 2_000_000

/**
 * Looks for an order of operations, one after the other, that a model allows and that agrees with what the
 * clients saw: what was answered before another operation began comes before it. An operation that was never
 * answered may come at any later time, or never.
 *
 * @see Wing and Gong, Testing and Verifying Concurrent Objects, 1993; Lowe, Testing for Linearizability, 2017:
 * a depth-first search that remembers which states it has reached with which operations.
 */
export function linearize<State>(
  operations: readonly Operation[],
  start: State,
  apply: (state: State, operation: Operation) => readonly State[],
): Verdict<State> {
  const sorted = [...operations].sort((a, b) => a.begin - b.begin)
  const tried = new Set<string>()
  const order: Operation[] = []
  const done = new Array<boolean>(sorted.length).fill(false)
  let answered = sorted.filter(isAnswered).length
  let steps = 0
  let furthest: { order: Operation[]; state: State; stuck: Operation[] } | null = null

  const search = (state: State): boolean => {
    if (answered === 0) return true
    const name = `${done.map(Number).join('')} ${JSON.stringify(state)}`
    if (tried.has(name) || ++steps > MOST_STEPS) return false
    tried.add(name)
    const candidates = next(sorted, done)
    if (furthest === null || order.length > furthest.order.length) {
      const stuck = candidates.map((at) => sorted[at] as Operation).filter(isAnswered)
      furthest = { order: [...order], state, stuck }
    }
    for (const at of candidates) {
      const operation = sorted[at] as Operation
      for (const reached of apply(state, operation)) {
        done[at] = true
        order.push(operation)
        answered -= isAnswered(operation) ? 1 : 0
        if (search(reached)) return true
        answered += isAnswered(operation) ? 1 : 0
        order.pop()
        done[at] = false
      }
    }
    return false
  }

  if (search(start)) return { isPossible: true }
  if (steps > MOST_STEPS || furthest === null) return { isPossible: 'undecided' }
  return {
    isPossible: false,
    ...(furthest as { order: Operation[]; state: State; stuck: Operation[] }),
  }
}

/** The operations that may come next: none that is left was answered before they began. */
function next(sorted: readonly Operation[], done: readonly boolean[]): readonly number[] {
  let firstEnd = Number.POSITIVE_INFINITY
  sorted.forEach(({ end }, at) => {
    if (!done[at]) firstEnd = Math.min(firstEnd, end)
  })
  const candidates: number[] = []
  // What was answered goes first: most orders that hold need nothing else.
  for (const wantsAnswered of [true, false]) {
    sorted.forEach((operation, at) => {
      if (done[at] || isAnswered(operation) !== wantsAnswered) return
      if (operation.begin <= firstEnd) candidates.push(at)
    })
  }
  return candidates
}

function isAnswered({ end }: Operation): boolean {
  return end !== Number.POSITIVE_INFINITY
}
