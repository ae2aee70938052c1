import type { Fate } from './faulty-driver.ts'
import type { Ground } from './ground.ts'
import type { Errand, Lane, Round, Step } from './program.ts'
import { runRounds } from './run-program.ts'
import { oneByOne } from './turnstile.ts'

/** What one client does to the session of an anonymous or signed-in visitor. */
export type Doing = { readonly steps: readonly Step[] } | { readonly errand: Errand }

const step = (it: Step): Doing => ({ steps: [it] })

export const doings: Readonly<Record<string, Doing>> = {
  'set two keys': step({ do: 'write', keys: ['a', 'b'], saves: true }),
  'set with the response': step({ do: 'write', keys: ['left', 'right'], saves: false }),
  delete: step({ do: 'delete', key: 'a', saves: true }),
  update: step({ do: 'update' }),
  take: step({ do: 'take', key: 'a' }),
  rotate: step({ do: 'rotate', saves: true }),
  'set lifetime': step({ do: 'set lifetime', saves: true }),
  'sign in ann': step({ do: 'sign in', userId: 'ann' }),
  'sign in bob': step({ do: 'sign in', userId: 'bob' }),
  clear: step({ do: 'clear', saves: true }),
  'clear and set': {
    steps: [
      { do: 'clear', saves: false },
      { do: 'write', keys: ['a'], saves: true },
    ],
  },
  destroy: step({ do: 'destroy', saves: true }),
  'only read': { steps: [] },
  tag: step({ do: 'tag', tag: 't' }),
  untag: step({ do: 'untag', tag: 't' }),
  elevate: step({ do: 'elevate' }),
  describe: step({ do: 'describe' }),
  'act as bob': step({ do: 'act as', userId: 'bob' }),
  'act as bob and come back': {
    steps: [{ do: 'act as', userId: 'bob' }, { do: 'end acting' }],
  },
  'end by id': { errand: { do: 'end by id', pick: 0, owner: null } },
  'end by id for ann': { errand: { do: 'end by id', pick: 0, owner: 'ann' } },
  'end by user': { errand: { do: 'end by user', userId: 'ann' } },
  'end by tag': { errand: { do: 'end by tag', tag: 't' } },
  list: { errand: { do: 'list', userId: 'ann' } },
}

/** Who the visitor is, and whether their token is due for renewal. */
export interface Visitor {
  readonly userId: 'ann' | null
  readonly isRenewalDue: boolean
}

export const visitors: readonly Visitor[] = [
  { userId: null, isRenewalDue: false },
  { userId: 'ann', isRenewalDue: false },
  { userId: 'ann', isRenewalDue: true },
]

/** A visitor who has entries, and then some clients that do something at the same time. */
export function roundsOf(
  { userId, isRenewalDue }: Visitor,
  all: readonly Doing[],
): readonly [Round, Round] {
  const begin: Step[] = [
    { do: 'write', keys: ['a', 'b', 'left', 'right'], saves: true },
    { do: 'update' },
  ]
  if (userId !== null) begin.push({ do: 'sign in', userId })
  const requests = [{ age: 0, steps: begin }]
  const lanes = all.map((doing, process): Lane => {
    if ('errand' in doing) return { process, errands: [doing.errand] }
    return { browser: 0, process, requests: [{ age: 0, steps: doing.steps }] }
  })
  return [
    { time: 'no', lanes: [{ browser: 0, process: 0, requests }] },
    { time: isRenewalDue ? 'short' : 'no', lanes },
  ]
}

/** A fault at one statement of a run. */
export interface OneFault {
  readonly at: number
  readonly fate: Fate
}

/** Runs every order of the statements of some clients, and gives what was wrong in the first that is. */
export async function everyOrder(
  ground: Ground,
  rounds: readonly Round[],
  options: { readonly shares: boolean; readonly fault?: OneFault | undefined },
): Promise<{
  readonly orders: number
  readonly sent: number
  readonly problems: readonly string[]
}> {
  let chosen: number[] = []
  let sent = 0
  for (let orders = 1; ; orders++) {
    const { problems, counts, statements } = await oneOrder(ground, rounds, chosen, options)
    sent = Math.max(sent, statements)
    if (problems.length > 0) return { orders, sent, problems: [...problems, `order ${chosen}`] }
    const next = nextOrder(chosen, counts)
    if (next === null) return { orders, sent, problems: [] }
    chosen = next
  }
}

async function oneOrder(
  ground: Ground,
  rounds: readonly Round[],
  chosen: readonly number[],
  { shares, fault }: { readonly shares: boolean; readonly fault?: OneFault | undefined },
): Promise<{ problems: readonly string[]; counts: number[]; statements: number }> {
  const counts: number[] = []
  let statements = 0
  const turnstile = oneByOne((count) => {
    counts.push(count)
    return Math.min(chosen[counts.length - 1] ?? 0, count - 1)
  })
  const fate = (): Fate => {
    statements += 1
    return statements === fault?.at ? fault.fate : 'answered'
  }
  const problems = await runRounds(ground, rounds, { turnstile, fate }, { shares })
  return { problems, counts, statements }
}

/** The choices after these, in a search in depth; null when all have been made. */
function nextOrder(chosen: readonly number[], counts: readonly number[]): number[] | null {
  for (let at = counts.length - 1; at >= 0; at--) {
    const choice = (chosen[at] ?? 0) + 1
    if (choice < (counts[at] ?? 0)) {
      return [...counts.slice(0, at).map((_, earlier) => chosen[earlier] ?? 0), choice]
    }
  }
  return null
}
