import { defineConfig, mergeConfig, type ViteUserConfig } from 'vitest/config'
import shared from './vitest.config.ts'

/** The proofs that take minutes: `npm run test:proof` runs them. */
const config: ViteUserConfig = mergeConfig(
  shared,
  defineConfig({
    test: { testTimeout: 3_600_000, hookTimeout: 300_000, maxWorkers: 2, retry: 0 },
  }),
)
config.test = { ...config.test, include: ['test/**/*.proof.ts'] }

export default config
