import { adapterContract } from 'pg-sessions/testing'
import { describe, it } from 'vitest'
import { openFastifyApplication } from './fastify-application.ts'

describe('fastifySessions', () => {
  adapterContract({ describe, it }, openFastifyApplication)
})
