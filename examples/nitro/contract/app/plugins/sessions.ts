import { defineNitroPlugin } from 'nitro/runtime'
import type { Session } from 'pg-sessions'
import { refuseCrossSite, requireFresh, withSession } from 'pg-sessions/fetch'
import { type ApplicationParts, ownHeaders } from 'pg-sessions/testing'
import '../../parts.ts'

declare module 'h3' {
  interface H3EventContext {
    session: Session
    other: Session
  }
}

type Fetch = (request: Request) => Promise<Response>

const visits = new WeakMap<ApplicationParts, Fetch>()

export default defineNitroPlugin((app) => {
  const answer = app.fetch

  const visitOf = ({ sessions, others, script }: ApplicationParts): Fetch => {
    const sameSite = refuseCrossSite(
      (request: Request, session: Session, other: Session) =>
        answer(request, {}, { session, other }),
      { allow: ['https://admin.example.com'] },
    )
    const fresh = requireFresh(
      '5m',
      (request: Request, session: Session, other: Session) =>
        answer(request, {}, { session, other }),
      { redirectTo: '/login' },
    )
    const guards = new Map([
      ['/same-site', sameSite],
      ['/fresh', fresh],
    ])
    const inner = withSession(others, (request, other, session: Session) => {
      const guarded = guards.get(new URL(request.url).pathname)
      if (guarded !== undefined) return guarded(request, session, other)
      if (new URL(request.url).pathname !== '/inner') {
        return answer(request, {}, { session, other })
      }
      script.change(session, request.url)
      return innermost(request, other)
    })
    const innermost = withSession(sessions, (request, session, other: Session) =>
      answer(request, {}, { session, other }),
    )
    const own = withSession(sessions, inner, {
      onError(error, { url }, session) {
        const { status, text } = script.errorPage(session, url, error)
        return new Response(text, { status })
      },
    })
    return async (request) => {
      const response = await own(request)
      if (new URL(request.url).pathname === '/cached') {
        response.headers.set('Cache-Control', ownHeaders['Cache-Control'])
      }
      return response
    }
  }

  // Each of the contract's tests has sessions of its own, for the one application that has been built.
  app.fetch = (request, init, context) => {
    if (!(request instanceof Request)) return answer(request, init, context)
    const parts = globalThis.contractParts
    const visit = visits.get(parts) ?? visitOf(parts)
    visits.set(parts, visit)
    return visit(request)
  }
})
