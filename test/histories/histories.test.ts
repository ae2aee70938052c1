import { afterAll, beforeAll, describe, test } from 'vitest'
import type { Ground } from './ground.ts'
import { GROUNDS } from './grounds.ts'
import type { Circumstances } from './run-program.ts'
import { tryPrograms } from './try-programs.ts'

/*
 * A sample of what `npm run test:proof -- histories` does for minutes: random programs of concurrent requests, and
 * whether a session of the model could have answered as the real one did.
 */

const circumstances: readonly Circumstances[] = [
  { order: 'one by one', shares: true, faults: 10 },
  { order: 'at once', shares: true, faults: 5 },
]
// PGlite and a single client take their time.
const sampled = ['memory', 'pg', 'postgres.js']
const grounds = Object.entries(GROUNDS).filter(([name]) => sampled.includes(name))

describe.each(grounds)('on %s', (_, openGround) => {
  let ground: Ground
  beforeAll(async () => {
    ground = await openGround()
  })
  afterAll(() => ground.close())

  test.each(circumstances)('$order, with faults, no answer contradicts the model', async (it) => {
    const seed = Math.floor(Math.random() * 2 ** 31)
    // The limit of a test would pass while a failure shrinks, and hide it.
    await tryPrograms(ground, it, { seed, milliseconds: 400, shrinks: false })
  })
})
