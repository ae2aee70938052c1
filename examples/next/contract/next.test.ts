import { after, describe, it } from 'node:test'
import { adapterContract } from 'pg-sessions/testing'
import { closeAll, openApplication } from './application.ts'

after(async () => {
  await closeAll()
  // Next leaves things open that would keep the process.
  setTimeout(() => process.exit(), 1000).unref()
})

describe('nextSessions', () => {
  adapterContract({ describe, it }, openApplication, { raw: false, property: false, bearer: false })
})
