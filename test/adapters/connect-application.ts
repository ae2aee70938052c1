import connect from 'connect'
import { connectSessions, refuseCrossSite, requireFresh } from 'pg-sessions/node'
import type { OpenApplication } from 'pg-sessions/testing'
import { beforeHead, setCacheControl } from './before-head.ts'
import { serve } from './listen.ts'
import { nodeRoutes } from './node-routes.ts'

/** The contract's application in Connect. */
export const openConnectApplication: OpenApplication = ({ sessions, others, script }) => {
  const app = connect()
  const own = connectSessions(sessions)
  const other = connectSessions(others)
  const inner = connectSessions(sessions)
  app.use('/cached', (_request, response, next) => {
    beforeHead(response, () => setCacheControl(response))
    next()
  })
  app.use(other)
  app.use(own)
  app.use(own)
  app.use('/inner', inner)
  app.use('/same-site', refuseCrossSite({ allow: ['https://admin.example.com'] }))
  app.use('/fresh', requireFresh(own.of, '5m', { redirectTo: '/login' }))
  app.use('/assigned', (request, response) => {
    Object.assign(request, { session: null })
    response.end('assigned')
  })
  for (const [path, route] of Object.entries(nodeRoutes(script))) {
    app.use(path, async (request, response, next) => {
      const url = request.url ?? '/'
      try {
        await route({
          request,
          response,
          url,
          session: () => Reflect.get(request, 'session'),
          inner: () => inner.of(request),
          other: () => other.of(request),
        })
      } catch (error) {
        next(error)
      }
    })
  }
  app.use('/passed-on', (request, _response, next) => {
    script.change(own.of(request), request.url ?? '/')
    next()
  })
  const errorPage: connect.ErrorHandleFunction = (error, request, response, _next) => {
    const { status, text } = script.errorPage(own.of(request), request.url ?? '/', error)
    response.statusCode = status
    response.end(text)
  }
  app.use(errorPage)
  return serve(app)
}
