import { describe, it } from 'vitest'
import { openOnPglite, storeContractOver } from './store-over-driver.ts'

/** `npm test` runs a fifth of these. */
describe('PostgresStore over PGlite', () => {
  storeContractOver(openOnPglite, { describe, it })
})
