import { adapterContract } from 'pg-sessions/testing'
import { describe, it } from 'vitest'
import { openHonoApplication } from './hono-application.ts'

describe('honoSessions', () => {
  adapterContract({ describe, it }, openHonoApplication, { raw: false })
})
