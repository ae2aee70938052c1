import { expect, test } from 'vitest'
import { HostileBytes } from './hostile-bytes.ts'
import { fuzzTargets } from './targets.ts'

// `npm run test:fuzz` feeds them ten million inputs.
test.each(fuzzTargets.map((target) => [target.name, target] as const))(
  'no bytes break %s',
  (_, { corpus, feed }) => {
    const hostile = new HostileBytes(corpus, 1)
    for (const bytes of corpus) feed(Buffer.from(bytes as string))
    for (let n = 0; n < 1500; n += 1) {
      const bytes = hostile.next()
      expect(() => feed(bytes), JSON.stringify(bytes.toString('latin1'))).not.toThrow()
    }
  },
)
