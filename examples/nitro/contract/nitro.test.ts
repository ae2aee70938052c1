import { describe, it } from 'node:test'
import { adapterContract } from 'pg-sessions/testing'
import { openApplication } from './application.ts'

describe('withSession around Nitro', () => {
  adapterContract({ describe, it }, openApplication, { raw: false, property: false })
})
