import { getRequestListener } from '@hono/node-server'
import type { Session } from 'pg-sessions'
import { refuseCrossSite, requireFresh, withSession } from 'pg-sessions/fetch'
import {
  type ApplicationParts,
  type OpenApplication,
  ownHeaders,
  type Script,
} from 'pg-sessions/testing'
import { serve } from './listen.ts'

/** The contract's application as one handler of the Fetch standard. */
export const openFetchApplication: OpenApplication = (parts) =>
  // The server's own stand-in for `Response` would hide what the standard's does.
  serve(getRequestListener(fetchHandler(parts), { overrideGlobalObjects: false }))

/** The same, for servers that take a handler of the Fetch standard as it is. */
export function fetchHandler({
  sessions,
  others,
  script,
}: ApplicationParts): (request: Request) => Promise<Response> {
  const innermost = withSession(
    sessions,
    async (request, session) => new Response(await script.use(session, request.url)),
  )
  const sameSite = refuseCrossSite(() => new Response('same-site'), {
    allow: ['https://admin.example.com'],
  })
  const fresh = requireFresh('5m', () => new Response('fresh'), { redirectTo: '/login' })
  const routes: Readonly<Record<string, Route>> = {
    ...fetchRoutes(script),
    '/same-site': ({ request, session }) => sameSite(request, session),
    '/fresh': ({ request, session }) => fresh(request, session),
    '/inner': ({ request, session }) => {
      script.change(session, request.url)
      return innermost(request)
    },
  }
  const errorPage = (error: unknown, { url }: Request, session: Session): Response => {
    const { status, text } = script.errorPage(session, url, error)
    return new Response(text, { status })
  }
  const inner = withSession(others, (request, other, session: Session) => {
    const route = routes[new URL(request.url).pathname]
    return route ? route({ request, session, other }) : new Response('Not here', { status: 404 })
  })
  const own = withSession(sessions, inner, { onError: errorPage })
  return async (request) => {
    const response = await own(request)
    if (new URL(request.url).pathname === '/cached') {
      response.headers.set('Cache-Control', ownHeaders['Cache-Control'])
    }
    return response
  }
}

interface Visit {
  readonly request: Request
  readonly session: Session
  readonly other: Session
}

type Route = (visit: Visit) => Response | Promise<Response>

function fetchRoutes(script: Script): Readonly<Record<string, Route>> {
  const changing =
    (answer: (request: Request, session: Session) => Response): Route =>
    ({ request, session }) => {
      script.change(session, request.url)
      return answer(request, session)
    }
  return {
    '/untouched': () => new Response('untouched'),
    '/use': async ({ request, session }) => new Response(await script.use(session, request.url)),
    '/change': changing(() => new Response('changed')),
    '/json': changing(() => Response.json({ changed: true })),
    '/redirect': changing((request) => Response.redirect(new URL('/use', request.url), 302)),
    '/empty': changing(() => new Response(null, { status: 204 })),
    '/tagged': changing(({ headers }) => {
      const isKnown = headers.get('if-none-match') === '"v1"'
      return new Response(isKnown ? null : 'tagged', {
        status: isKnown ? 304 : 200,
        headers: { etag: '"v1"' },
      })
    }),
    '/headed': changing(() => new Response('headed', { headers: linesOfOwn() })),
    '/stream': changing(() => new Response(ReadableStream.from(script.body()))),
    '/events': changing((request, session) => {
      const body = ReadableStream.from(encoded(script.events(session, request.url)))
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    }),
    '/cached': changing(() => new Response('cached')),
    '/broken-stream': changing(() => new Response(ReadableStream.from(script.brokenBody()))),
    '/throw': changing(() => {
      throw script.error
    }),
    '/throw-later': async ({ request, session }) => {
      await script.use(session, request.url)
      throw script.error
    },
    '/passed-on': changing(() => new Response('Not here', { status: 404 })),
    '/same': () => new Response('true'),
    '/other': async ({ request, other }) => new Response(await script.use(other, request.url)),
    '/both': async ({ request, session, other }) => {
      const mine = await script.use(session, request.url)
      return new Response(`${mine}\n${await script.use(other, request.url)}`)
    },
  }
}

function linesOfOwn(): [string, string][] {
  return Object.entries(ownHeaders).flatMap(([name, values]) =>
    [values].flat().map((value): [string, string] => [name, value]),
  )
}

async function* encoded(events: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder()
  for await (const event of events) yield encoder.encode(`data: ${event}\n\n`)
}
