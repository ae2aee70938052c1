import { adapterContract } from 'pg-sessions/testing'
import { describe, it } from 'vitest'
import { openKoaApplication } from './koa-application.ts'

describe('koaSessions', () => {
  adapterContract({ describe, it }, openKoaApplication)
})
