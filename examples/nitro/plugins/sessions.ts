import { defineNitroPlugin } from 'nitro/runtime'
import { withSession } from 'pg-sessions/fetch'
import { sessions } from '../sessions'

declare module 'h3' {
  interface H3EventContext {
    session: import('pg-sessions').Session
  }
}

export default defineNitroPlugin((app) => {
  const answer = app.fetch
  const visit = withSession(sessions, (request, session) => answer(request, {}, { session }))
  app.fetch = (request, init, context) =>
    request instanceof Request ? visit(request) : answer(request, init, context)
})
