import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { defineConfig, type ViteUserConfig } from 'vitest/config'
import { LongestFirst } from './test/support/longest-first.ts'

/** Where `npm run test:clients` has older clients. */
const clients = process.env['TEST_CLIENTS_FROM']
const alias = Object.fromEntries(
  (clients === undefined ? [] : ['pg', 'postgres']).map((name) => [
    name,
    join(clients ?? '', 'node_modules', name),
  ]),
)

/** A folder of long tests that `npm test` leaves out, such as `poolers`. */
const suite = process.env['TEST_SUITE']

const config: ViteUserConfig = defineConfig({
  resolve: { tsconfigPaths: true, alias },
  test: {
    include: suite === undefined ? ['test/**/*.test.ts'] : [`test/${suite}/**/*.suite.ts`],
    globalSetup: ['test/support/global-setup.ts'],
    // Most tests wait for servers and browsers, so four files at once fit even on two cores.
    maxWorkers: Math.max(4, availableParallelism() - 1),
    sequence: { sequencer: LongestFirst },
    // Loading the modules anew for each file would cost a fifth of the run. Files share nothing else:
    // each has its own database, and the library keeps no state in its modules.
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // No test gets a second try: one that fails beside other work waits for a time instead of a condition.
    retry: 0,
  },
})

export default config
