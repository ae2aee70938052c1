import { adapterContract } from 'pg-sessions/testing'
import { describe, it } from 'vitest'
import { openNodeApplication } from './node-application.ts'

describe('nodeSessions', () => {
  adapterContract({ describe, it }, openNodeApplication)
})
