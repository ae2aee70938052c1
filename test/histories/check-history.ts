import type { Deed, History, Operation } from './history.ts'
import { linearize } from './linearize.ts'
import { apply, type ModelRules, type ModelState, NOT_BEGUN } from './session-model.ts'
import { shortValue } from './value.ts'

/** Compares a history with the model, and says what cannot have happened. */
export function checkHistory(
  { sessions, complaints }: History,
  rules: ModelRules = {},
): readonly string[] {
  const problems = [...new Set(complaints)]
  for (const [sessionId, operations] of sessions) {
    // Stops at the first key, since the others would tell the same story again.
    const problem = keysOf(operations)
      .map((key) => checkKey(sessionId, operations, key, rules))
      .find((it) => it !== null)
    if (problem) problems.push(problem)
  }
  return problems
}

/** An order is looked for each key alone: of two saves at once, each key may end as another one left it. */
function checkKey(
  sessionId: string,
  all: readonly Operation[],
  key: string,
  rules: ModelRules,
): string | null {
  const operations = all.filter(({ deed }) => concerns(deed, key))
  const verdict = linearize(operations, NOT_BEGUN, (state, operation) =>
    apply(state, operation, key, rules),
  )
  if (verdict.isPossible === true) return null
  if (verdict.isPossible === 'undecided') {
    return `session ${sessionId}: too many orders to try (${operations.length} operations)`
  }
  const { order, state, stuck } = verdict
  return [
    `session ${sessionId}: nothing explains what was answered about key ${key}.`,
    'The longest order that could have happened:',
    ...order.map((operation) => `  ${describe(operation, key)}`),
    `which leaves ${describeState(state)}, where none of these can have happened:`,
    ...stuck.map((operation) => `  ${describe(operation, key)}`),
  ].join('\n')
}

/** Whether an operation tells something about a key, or about the life of its session. */
function concerns(deed: Deed, key: string): boolean {
  return (deed.kind !== 'update' && deed.kind !== 'take') || deed.key === key
}

function keysOf(operations: readonly Operation[]): readonly string[] {
  const keys = operations.flatMap(({ deed }) => {
    if (deed.kind === 'begin' || deed.kind === 'load') return [...deed.entries.keys()]
    if (deed.kind === 'save') return [...deed.written.keys(), ...deed.deleted]
    return deed.kind === 'update' || deed.kind === 'take' ? [deed.key] : []
  })
  return keys.length === 0 ? [''] : [...new Set(keys)]
}

function describe({ index, request, begin, end, deed }: Operation, key: string): string {
  const { kind, ...details } = deed
  const shown = Object.entries(details).map(([name, value]) => {
    if (value instanceof Map) return `${name}: ${shortValue(value.get(key))}`
    const text = typeof value === 'string' ? shortValue(value) : JSON.stringify(value)
    return `${name}: ${text}`
  })
  const until = end === Number.POSITIVE_INFINITY ? 'never answered' : end
  return `#${index} request ${request} [${begin}, ${until}] ${kind} ${shown.join(', ')}`
}

function describeState({ phase, userId, token, previous, value }: ModelState): string {
  return `a session that is ${phase}, of ${userId ?? 'no user'}, token ${token}, before it ${previous}, value ${shortValue(value)}`
}
