import { describe, it } from 'node:test'
import { adapterContract } from 'pg-sessions/testing'
import { openApplication } from './application.ts'

describe('reactRouterSessions', () => {
  adapterContract({ describe, it }, openApplication, { raw: false, property: false })
})
