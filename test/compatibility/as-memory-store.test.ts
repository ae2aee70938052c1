import session from 'express-session'
import fc from 'fast-check'
import { PgSessionStore } from 'pg-sessions/express-session'
import { describe, expect, it } from 'vitest'
import { eachGround, type Grounds } from './grounds.ts'
import {
  type SideApplication,
  type Step,
  sideApplication,
  type Value,
  type Visit,
} from './side-by-side.ts'

const HOUR = 3_600_000

const expiry: fc.Arbitrary<Value> = fc.constantFrom<Value>(
  { is: HOUR },
  { is: 20 * HOUR },
  { is: 0 },
  { is: -HOUR },
  { is: '3600000' },
  { is: 'tomorrow' },
  { is: '' },
  { is: null },
  { is: false },
  { is: true },
  { is: undefined },
  { dateIn: HOUR },
  { dateIn: 20 * HOUR },
  { dateIn: -HOUR },
  { dateTextIn: HOUR },
  { dateTextIn: -HOUR },
)

const attribute: fc.Arbitrary<Step> = fc
  .constantFrom(
    ['path', '/'],
    ['path', '/;'],
    ['domain', 'example.com'],
    ['domain', 'no domain'],
    ['httpOnly', false],
    ['secure', true],
    ['secure', 'auto'],
    ['sameSite', 'lax'],
    ['sameSite', true],
    ['sameSite', 'odd'],
    ['partitioned', true],
    ['priority', 'high'],
    ['priority', 'urgent'],
    ['own', 'attribute'],
  )
  .map(([name, is]) => ['assign', ['cookie', name as string], { is }])

const value = fc.constantFrom<Value>(
  { is: 1 },
  { is: 'text' },
  { is: [1, { a: null }] },
  { is: { nested: { deep: true } } },
  { is: null },
  { is: undefined },
  { dateTextIn: HOUR },
)
// A key that is a method's name is left out: MemoryStore drops it at the second request, and we keep it.
const key = fc.constantFrom('a', 'b', '', 'user name', 'ключ')

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(
      fc.constant('assign' as const),
      key.map((it) => [it]),
      value,
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(
      fc.constant('delete' as const),
      key.map((it) => [it]),
    ),
  },
  { weight: 2, arbitrary: expiry.map((it): Step => ['assign', ['cookie', 'maxAge'], it]) },
  {
    weight: 2,
    // A number as a date is a mistake that MemoryStore takes for a date long ago, until the next touch.
    arbitrary: expiry
      .filter((it) => !('is' in it && typeof it.is === 'number'))
      .map((it): Step => ['assign', ['cookie', 'expires'], it]),
  },
  { weight: 2, arbitrary: attribute },
  { weight: 1, arbitrary: fc.constant<Step>(['delete', ['cookie', 'domain']]) },
  {
    weight: 4,
    arbitrary: fc
      .constantFrom('save', 'reload', 'regenerate', 'destroy', 'touch', 'resetMaxAge', 'null')
      .map((it) => [it] as Step),
  },
  { weight: 1, arbitrary: fc.constant<Step>(['serialize', 'name', 'a value']) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('look', 'stored', 'loaded', 'touchStored', 'length')
      .map((it) => [it] as Step),
  },
)

const visit: fc.Arbitrary<Visit> = fc.record({
  steps: fc.array(step, { maxLength: 4 }),
  isHttps: fc.boolean(),
  isNew: fc.constantFrom(false, false, false, false, true),
  after: fc.constantFrom(0, HOUR / 2, 2 * HOUR),
})

const options: fc.Arbitrary<Partial<session.SessionOptions>> = fc.record({
  rolling: fc.boolean(),
  resave: fc.boolean(),
  saveUninitialized: fc.boolean(),
  proxy: fc.constant(true),
  unset: fc.constantFrom('destroy' as const, 'keep' as const),
  cookie: fc.constantFrom<session.CookieOptions>(
    {},
    { maxAge: 20 * HOUR },
    { maxAge: HOUR, secure: 'auto', sameSite: 'strict' },
    { secure: true, partitioned: true, priority: 'low', path: '/' },
  ),
})

const set = (name: string, value: Value): Step => ['assign', ['cookie', name], value]
const begin: Visit = { steps: [['assign', ['a'], { is: 1 }]] }
const read: Visit = { steps: [['look']] }
const usual = { cookie: { maxAge: HOUR } }
const later: Visit = { ...read, after: 2 * HOUR }

/** What once differed, and what is likely to. */
const known: [Partial<session.SessionOptions>, Visit[]][] = [
  ...[{ is: false }, { is: null }, { is: undefined }].flatMap((never) =>
    ['expires', 'maxAge'].map((name): [Partial<session.SessionOptions>, Visit[]] => [
      usual,
      [begin, { steps: [set(name, never)] }, later, { ...read, after: 20 * HOUR }],
    ]),
  ),
  [usual, [begin, { steps: [set('maxAge', { is: '3600000' })] }, read, later]],
  [usual, [begin, { steps: [set('maxAge', { dateIn: 20 * HOUR })] }, later]],
  [usual, [begin, { steps: [set('maxAge', { is: 20 * HOUR })] }, later]],
  [{ cookie: { maxAge: 20 * HOUR } }, [begin, { steps: [set('maxAge', { is: HOUR })] }, later]],
  [{}, [begin, { steps: [set('maxAge', { is: HOUR })] }, read, later]],
  [usual, [begin, { steps: [set('originalMaxAge', { is: '3600000' })] }, read, later]],
  [usual, [begin, { steps: [['destroy'], ['look']] }, read]],
  [{ unset: 'destroy' }, [begin, { steps: [['null']] }, read]],
  [{ rolling: true }, [begin, { steps: [set('expires', { dateTextIn: HOUR })] }, read, later]],
]

eachGround((grounds, storeName) => {
  describe('express-session on PgSessionStore, side by side with its own MemoryStore', () => {
    it('answers every program of requests alike, with the same cookies and errors', async () => {
      await fc.assert(
        fc.asyncProperty(
          options,
          fc.array(visit, { minLength: 1, maxLength: 6 }),
          (given, visits) => compare(grounds, given, visits),
        ),
        {
          numRuns: storeName === 'memory' ? 80 : 20,
          seed: 1,
          examples: known,
        },
      )
    })
  })
})

async function compare(
  grounds: Grounds,
  options: Partial<session.SessionOptions>,
  visits: readonly Visit[],
): Promise<void> {
  const theirs = await openTheirs(options)
  const ours = await openOurs(grounds, options)
  const passedOn = []
  try {
    for (const visit of visits) {
      expect(await ours.visit(visit)).toEqual(await theirs.visit(visit))
    }
  } finally {
    passedOn.push(await theirs.close(), await ours.close())
  }
  expect(passedOn[1]).toEqual(passedOn[0])
}

async function openOurs(
  grounds: Grounds,
  options: Partial<session.SessionOptions>,
): Promise<SideApplication> {
  const { watched, elapse } = await grounds.lay()
  const store = new PgSessionStore({
    store: watched.store,
    idleTimeout: '30d',
    touchInterval: '1s',
    purgeInterval: 'never',
    log: false,
  })
  const application = await sideApplication(store, options, elapse)
  return { ...application, close: () => application.close().finally(() => store.close()) }
}

function openTheirs(options: Partial<session.SessionOptions>): Promise<SideApplication> {
  const store = new session.MemoryStore()
  return sideApplication(store, options, async (milliseconds) => {
    const { sessions } = store as unknown as { sessions: Record<string, string> }
    for (const [sid, text] of Object.entries(sessions)) {
      const stored = JSON.parse(text) as { cookie: { expires?: unknown } }
      const expires = Date.parse(String(stored.cookie.expires))
      if (Number.isNaN(expires)) continue
      stored.cookie.expires = new Date(expires - milliseconds).toISOString()
      sessions[sid] = JSON.stringify(stored)
    }
  })
}
