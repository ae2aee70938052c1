import { adapterContract } from 'pg-sessions/testing'
import { describe, it } from 'vitest'
import { openConnectApplication } from './connect-application.ts'

describe('connectSessions', () => {
  adapterContract({ describe, it }, openConnectApplication)
})
