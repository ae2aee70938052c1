import type { IncomingMessage, ServerResponse } from 'node:http'
import { type NodeGuard, nodeSessions, refuseCrossSite, requireFresh } from 'pg-sessions/node'
import type { OpenApplication } from 'pg-sessions/testing'
import { beforeHead, setCacheControl } from './before-head.ts'
import { serve } from './listen.ts'
import { nodeRoutes } from './node-routes.ts'

/** The contract's application on nothing but `node:http`. */
export const openNodeApplication: OpenApplication = ({ sessions, others, script }) => {
  const errorPage = (error: unknown, request: IncomingMessage, response: ServerResponse): void => {
    const { status, text } = script.errorPage(
      sessionOf(request, response),
      request.url ?? '/',
      error,
    )
    response.writeHead(status, { 'Content-Type': 'text/plain' }).end(text)
  }
  const sessionOf = nodeSessions(sessions, { onError: errorPage })
  const innerOf = nodeSessions(sessions, { onError: errorPage })
  const otherOf = nodeSessions(others, { onError: errorPage })
  const routes = nodeRoutes(script)
  const guards: Readonly<Record<string, NodeGuard>> = {
    '/same-site': refuseCrossSite({ allow: ['https://admin.example.com'] }),
    '/fresh': requireFresh(sessionOf, '5m', { redirectTo: '/login' }),
  }

  const answer = async (
    request: IncomingMessage,
    response: ServerResponse,
    refusal?: unknown,
  ): Promise<void> => {
    const url = request.url ?? '/'
    const [path = '/'] = url.split('?')
    const session = () => sessionOf(request, response)
    const inner = () => innerOf(request, response)
    const other = () => otherOf(request, response)
    if (path === '/cached') beforeHead(response, () => setCacheControl(response))
    try {
      if (refusal !== undefined) throw refusal
      await routes[path]?.({ request, response, url, session, inner, other })
      if (path === '/passed-on') script.change(session(), url)
      if (!(path in routes)) response.writeHead(404).end('There is no such page.')
    } catch (error) {
      errorPage(error, request, response)
    }
  }
  return serve((request, response) => {
    const guard = guards[request.url?.split('?')[0] ?? '/'] ?? pass
    guard(request, response, (refusal) => void answer(request, response, refusal))
  })
}

const pass: NodeGuard = (_request, _response, next) => next()
