/**
 * Feeds every parser with bytes that no one meant to send.
 *
 *     npm run test:fuzz                                    ten million inputs
 *     npm run test:fuzz -- --inputs 100000 --seed 7 --only cookie
 *
 * A failure prints the input and the seed that repeats it.
 */
import { parseArgs } from 'node:util'
import { HostileBytes } from '../test/fuzz/hostile-bytes.ts'
import { type FuzzTarget, fuzzTargets } from '../test/fuzz/targets.ts'

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '10000000' },
    seed: { type: 'string', default: process.env['PROOF_SEED'] ?? String(Date.now() % 1_000_000) },
    only: { type: 'string', default: '' },
    help: { type: 'boolean', short: 'h' },
  },
})

/** Milliseconds between two lines of progress. */
const PROGRESS = 10_000

function feedMany({ name, corpus, feed }: FuzzTarget, count: number, seed: number): boolean {
  const hostile = new HostileBytes(corpus, seed)
  const start = performance.now()
  let shown = start
  for (let n = 0; n < count; n += 1) {
    if (n % 1024 === 0 && performance.now() - shown > PROGRESS) {
      shown = performance.now()
      console.log(`       ${name.padEnd(36)} ${n} of ${count} inputs`)
    }
    const bytes = hostile.next()
    try {
      feed(bytes)
    } catch (error) {
      console.log(`BROKEN ${name}, input ${n}, seed ${seed}: ${bytes.toString('hex')}`)
      console.log(error)
      return false
    }
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  console.log(`ok     ${name.padEnd(36)} ${count} inputs in ${seconds} s`)
  return true
}

function main(): number {
  if (values.help) {
    console.log('Usage: npm run test:fuzz [-- --inputs <n>] [--seed <n>] [--only <text>]')
    return 0
  }
  const chosen = fuzzTargets.filter(({ name }) => name.includes(values.only))
  const each = Math.ceil(Number(values.inputs) / Math.max(1, chosen.length))
  console.log(`${chosen.length} parsers, ${each} inputs each, seed ${values.seed}`)
  const results = chosen.map((target) => feedMany(target, each, Number(values.seed)))
  return results.length > 0 && results.every(Boolean) ? 0 : 1
}

process.exitCode = main()
