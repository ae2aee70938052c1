import fc from 'fast-check'
import type { EntryKey } from './history.ts'

/** What a handler does in a request, one step after the other. */
export type Step =
  /** Sets and deletes keys, and saves them at once or with what comes next. */
  | { readonly do: 'write'; readonly keys: readonly EntryKey[]; readonly saves: boolean }
  | { readonly do: 'delete'; readonly key: EntryKey; readonly saves: boolean }
  /** Appends to a log. */
  | { readonly do: 'update' }
  | { readonly do: 'take'; readonly key: EntryKey }
  | { readonly do: 'rotate' | 'set lifetime'; readonly saves: boolean }
  | { readonly do: 'clear' | 'destroy'; readonly saves: boolean }
  | { readonly do: 'sign out' | 'elevate' | 'describe' | 'end acting' }
  | { readonly do: 'tag' | 'untag'; readonly tag: string }
  | { readonly do: 'sign in' | 'act as'; readonly userId: string }

export interface Request {
  /** 0 for the token in the cookie jar, n for the nth before it. */
  readonly age: number
  readonly steps: readonly Step[]
}

/** What the application does beside requests. */
export type Errand =
  | { readonly do: 'list' | 'end by user'; readonly userId: string }
  | { readonly do: 'end by id'; readonly pick: number; readonly owner: string | null }
  | { readonly do: 'list by tag' | 'end by tag'; readonly tag: string }
  | { readonly do: 'purge' | 'count' | 'end all' | 'reseal' }

/** What one tab of a browser, or the application, does, one after the other. */
export type Lane =
  | { readonly browser: number; readonly process: number; readonly requests: readonly Request[] }
  | { readonly process: number; readonly errands: readonly Errand[] }

/** Lanes that run at the same time. */
export interface Round {
  /** How much time passes before: for a renewal to be sent again, to be due, or for all to expire. */
  readonly time: 'no' | 'brief' | 'short' | 'long'
  readonly lanes: readonly Lane[]
}

export interface Program {
  /** Decides which statement goes first and which fails. */
  readonly seed: number
  /** What becomes of a user's sessions beyond two. */
  readonly beyondTwo: 'live' | 'end-oldest' | 'refuse'
  /** Whether values are sealed, by each process under a key of its own that the others know. */
  readonly seals: boolean
  readonly rounds: readonly Round[]
}

const key = fc.constantFrom<EntryKey>('a', 'b', 'log')
const userId = fc.constantFrom('ann', 'bob')
const tag = fc.constantFrom('t', 'u')
const saves = fc.boolean()

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ do: 'update' as const }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      keys: fc.constantFrom<readonly EntryKey[]>(
        ['a'],
        ['a', 'b'],
        ['left', 'right'],
        ['b', 'left', 'right'],
        ['large'],
      ),
      saves,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), key, saves }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('take' as const), key }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('rotate' as const), saves }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('set lifetime' as const), saves }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('sign in' as const), userId }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('clear', 'destroy'), saves }) },
  { weight: 1, arbitrary: fc.constant({ do: 'sign out' as const }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('tag', 'tag', 'untag'), tag }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('act as' as const), userId }) },
  { weight: 2, arbitrary: fc.constant({ do: 'end acting' as const }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('elevate', 'elevate', 'describe') }) },
)

const request: fc.Arbitrary<Request> = fc.record({
  age: fc.oneof(
    { weight: 5, arbitrary: fc.constant(0) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: 3 }) },
  ),
  steps: fc.array(step, { maxLength: 4, size: 'max' }),
})

const errand: fc.Arbitrary<Errand> = fc.oneof(
  fc.record({ do: fc.constantFrom('list', 'end by user'), userId }),
  fc.record({
    do: fc.constant('end by id' as const),
    pick: fc.nat(20),
    owner: fc.constantFrom(null, 'ann', 'bob'),
  }),
  fc.record({ do: fc.constantFrom('list by tag', 'end by tag'), tag }),
  fc.record({ do: fc.constantFrom('purge', 'count', 'end all', 'reseal') }),
)

const lane: fc.Arbitrary<Lane> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      browser: fc.nat(1),
      process: fc.nat(1),
      requests: fc.array(request, { minLength: 1, maxLength: 3, size: 'max' }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      process: fc.nat(1),
      errands: fc.array(errand, { minLength: 1, maxLength: 3, size: 'max' }),
    }),
  },
)

/** Random programs. They shrink to few rounds, lanes and steps. */
export const programs: fc.Arbitrary<Program> = fc.record({
  seed: fc.nat(),
  beyondTwo: fc.constantFrom('live', 'end-oldest', 'refuse'),
  seals: fc.boolean(),
  rounds: fc.array(
    fc.record({
      time: fc.oneof(
        { weight: 4, arbitrary: fc.constant('no' as const) },
        { weight: 3, arbitrary: fc.constantFrom('brief' as const, 'short' as const) },
        { weight: 1, arbitrary: fc.constant('long' as const) },
      ),
      lanes: fc.array(lane, { minLength: 1, maxLength: 6, size: 'max' }),
    }),
    { minLength: 1, maxLength: 5, size: 'max' },
  ),
})
