import express from 'express'
import { expressSessions } from 'pg-sessions/express'
import { adapterContract } from 'pg-sessions/testing'
import { describe, expect, it } from 'vitest'
import { openExpressApplication } from './express-application.ts'
import { askOnce } from './listen.ts'
import { memorySessions, unsavableSessions } from './memory-sessions.ts'

describe('expressSessions', () => {
  adapterContract({ describe, it }, openExpressApplication)

  it("has Express's own error page answer with the status of the failure", async () => {
    const app = express()
    app.set('env', 'test')
    app.use(expressSessions(unsavableSessions()))
    app.get('/', (req, res) => {
      req.session.set('a', 1)
      res.send('changed')
    })
    const { response, text } = await askOnce(app)
    expect(response.status).toBe(503)
    expect(text).not.toContain('changed')
  })

  it('tells who forgot it, by a sentence', async () => {
    const { of } = expressSessions(memorySessions())
    const app = express()
    app.get('/', (req, res) => {
      expect(() => of(req)).toThrow(/put expressSessions\(sessions\) before/)
      res.end()
    })
    expect((await askOnce(app)).response.status).toBe(200)
  })
})
