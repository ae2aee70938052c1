import { adapterContract } from 'pg-sessions/testing'
import { describe, it } from 'vitest'
import { openFetchApplication } from './fetch-application.ts'

describe('withSession', () => {
  adapterContract({ describe, it }, openFetchApplication, { raw: false })
})
