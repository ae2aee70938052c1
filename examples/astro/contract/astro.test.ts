import { describe, it } from 'node:test'
import { adapterContract } from 'pg-sessions/testing'
import { openApplication } from './application.ts'

describe('astroSessions', () => {
  adapterContract({ describe, it }, (parts) => openApplication(parts), { raw: false })
})
