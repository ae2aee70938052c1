import { describe, it } from 'vitest'
import { adapterContract } from 'pg-sessions/testing'
import { openExpressApplication } from './express-application.ts'

describe('expressSessions', () => {
  adapterContract({ describe, it }, openExpressApplication)
})
