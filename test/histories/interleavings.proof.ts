import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Fate } from './faulty-driver.ts'
import type { Ground } from './ground.ts'
import { GROUNDS } from './grounds.ts'
import { type Doing, doings, everyOrder, roundsOf, visitors } from './interleavings.ts'
import { type LockedGround, lockedGround } from './lock-queues.ts'

const names = Object.keys(doings)
const pairs = names.flatMap((one, at) => names.slice(at).map((two) => [one, two] as const))
const fates: readonly Fate[] = ['not sent', 'answer lost', 'applied late']
const doing = (name: string): Doing => doings[name] as Doing

describe.each(['memory', 'pg', 'postgres.js', 'pglite'])(
  'in every order of statements on %s',
  (name) => {
    let ground: Ground
    beforeAll(async () => {
      ground = await (GROUNDS[name] as NonNullable<(typeof GROUNDS)[string]>)()
    })
    afterAll(() => ground.close())

    test.each(pairs)('%s beside %s', async (one, two) => {
      for (const visitor of visitors) {
        const rounds = roundsOf(visitor, [doing(one), doing(two)])
        for (const shares of [true, false]) {
          expect((await everyOrder(ground, rounds, { shares })).problems).toEqual([])
        }
      }
    })

    // The orders of three clients and those with faults are many, and tried where they are fast.
    if (name !== 'memory' && name !== 'pg') return

    test.each(pairs)('%s beside %s, with a fault at each statement', async (one, two) => {
      for (const visitor of visitors.slice(1, 2)) {
        const rounds = roundsOf(visitor, [doing(one), doing(two)])
        const { sent } = await everyOrder(ground, rounds, { shares: false })
        for (let at = 1; at <= sent; at++) {
          for (const fate of fates) {
            const fault = { at, fate }
            const { problems } = await everyOrder(ground, rounds, { shares: false, fault })
            expect(problems, JSON.stringify(fault)).toEqual([])
          }
        }
      }
    })
  },
)

describe("behind each other's locks", () => {
  let locked: LockedGround
  beforeAll(async () => {
    locked = await lockedGround()
  })
  afterAll(() => locked.ground.close())

  test.each(names)('%s first', async (one) => {
    for (const visitor of visitors) {
      for (const two of names) {
        const rounds = roundsOf(visitor, [doing(one), doing(two)])
        expect(await locked.run(rounds), `before ${two}`).toEqual([])
      }
    }
  })

  const writing = names.filter((name) => name !== 'list' && name !== 'only read')
  test.each(writing)('three clients, %s first', async (one) => {
    for (const visitor of visitors.slice(1)) {
      for (const two of writing) {
        for (const three of writing) {
          const rounds = roundsOf(visitor, [doing(one), doing(two), doing(three)])
          expect(await locked.run(rounds), `before ${two} and ${three}`).toEqual([])
        }
      }
    }
  })
})
