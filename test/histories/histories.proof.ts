import { afterAll, beforeAll, describe, test } from 'vitest'
import { proof } from '../support/proof.ts'
import type { Ground } from './ground.ts'
import { GROUNDS } from './grounds.ts'
import type { Circumstances } from './run-program.ts'
import { tryPrograms } from './try-programs.ts'

const orders = ['one by one', 'at once'] as const
const circumstances: readonly Circumstances[] = orders.flatMap((order) =>
  [true, false].flatMap((shares) => [0, 4, 15].map((faults) => ({ order, shares, faults }))),
)
const grounds = Object.entries(GROUNDS)
const milliseconds = (proof.minutes * 60_000) / grounds.length / circumstances.length

describe.each(grounds)('on %s', (_, openGround) => {
  let ground: Ground
  beforeAll(async () => {
    ground = await openGround()
  })
  afterAll(() => ground.close())

  test.each(circumstances)(
    '$order, shared statements $shares, $faults faults of a hundred: no answer contradicts the model',
    async (it) => {
      const tries = it.order === 'at once' && proof.isReplay ? 20 : 1
      const runs = await tryPrograms(ground, it, { seed: proof.seed, milliseconds, tries })
      console.log(`${runs} programs`)
    },
  )
})
