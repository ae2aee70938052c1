import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Ground } from './ground.ts'
import { GROUNDS } from './grounds.ts'
import { type Doing, doings, everyOrder, roundsOf, visitors } from './interleavings.ts'
import { type LockedGround, lockedGround } from './lock-queues.ts'

/*
 * A sample of what `npm run test:proof -- interleavings` does with all pairs: two clients do something to one
 * session, in every order of their statements, and behind each other's row locks.
 */

const [, signedIn] = visitors as [unknown, (typeof visitors)[number]]
const changes = ['set two keys', 'sign in ann', 'clear', 'destroy'] as const
const pairs = changes.flatMap((one, at) => changes.slice(at).map((two) => [one, two] as const))

describe('in every order of statements', () => {
  let ground: Ground
  beforeAll(async () => {
    ground = await (GROUNDS.memory as NonNullable<typeof GROUNDS.memory>)()
  })
  afterAll(() => ground.close())

  test.each(pairs)('%s beside %s', async (one, two) => {
    const rounds = roundsOf(signedIn, [doings[one] as Doing, doings[two] as Doing])
    const { problems, orders } = await everyOrder(ground, rounds, { shares: true })
    expect(problems).toEqual([])
    expect(orders).toBeGreaterThan(5)
  })
})

describe("behind each other's locks", () => {
  let locked: LockedGround
  beforeAll(async () => {
    locked = await lockedGround()
  })
  afterAll(() => locked.ground.close())

  test.each(pairs)('%s before %s', async (one, two) => {
    for (const names of [
      [one, two],
      [two, one],
    ] as const) {
      const rounds = roundsOf(
        signedIn,
        names.map((name) => doings[name] as Doing),
      )
      expect(await locked.run(rounds)).toEqual([])
    }
  })
})
