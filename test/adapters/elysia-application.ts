import { type AnyElysia, Elysia } from 'elysia'
import { elysiaSessions, refuseCrossSite, requireFresh } from 'pg-sessions/elysia'
import { type ApplicationParts, ownHeaders } from 'pg-sessions/testing'

/** The contract's application in Elysia; where it listens is up to the runtime. */
export function elysiaApplication({ sessions, others, script }: ApplicationParts): AnyElysia {
  const own = elysiaSessions(sessions)
  const other = elysiaSessions(others)
  const inner = elysiaSessions(sessions)
  return new Elysia()
    .onError(({ error, request, code }) => {
      const { status, text } = script.errorPage(own.of({ request }), request.url, error)
      return new Response(text, { status: code === 'NOT_FOUND' ? 404 : status })
    })
    .use(other)
    .use(own)
    .use(own)
    .onRequest(({ request }) => {
      const { pathname } = new URL(request.url)
      if (pathname === '/passed-on') script.change(own.of({ request }), request.url)
    })
    .onAfterHandle(({ request, set }) => {
      const isCached = new URL(request.url).pathname === '/cached'
      if (isCached) set.headers['cache-control'] = ownHeaders['Cache-Control']
    })
    .get('/untouched', () => 'untouched')
    .get('/use', ({ session, request }) => script.use(session, request.url))
    .get('/change', ({ session, request }) => {
      script.change(session, request.url)
      return 'changed'
    })
    .get('/json', ({ session, request }) => {
      script.change(session, request.url)
      return { changed: true }
    })
    .get('/redirect', ({ session, request, redirect }) => {
      script.change(session, request.url)
      return redirect(new URL('/use', request.url).href) // On Bun a path alone would do.
    })
    .get('/empty', ({ session, request }) => {
      script.change(session, request.url)
      return new Response(null, { status: 204 })
    })
    .get('/tagged', ({ session, request, set }) => {
      script.change(session, request.url)
      set.headers.etag = '"v1"'
      const isKnown = request.headers.get('if-none-match') === '"v1"'
      return isKnown ? new Response(null, { status: 304 }) : 'tagged'
    })
    .get('/headed', ({ session, request }) => {
      script.change(session, request.url)
      const headers = Object.entries(ownHeaders).flatMap(([name, values]) =>
        [values].flat().map((value): [string, string] => [name, value]),
      )
      return new Response('headed', { headers })
    })
    .get('/stream', ({ session, request }) => {
      script.change(session, request.url)
      return new Response(ReadableStream.from(script.body()))
    })
    .get('/events', ({ session, request }) => {
      script.change(session, request.url)
      const body = ReadableStream.from(encoded(script.events(session, request.url)))
      return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } })
    })
    .get('/throw', ({ session, request }) => {
      script.change(session, request.url)
      throw script.error
    })
    .get('/throw-later', async ({ session, request }) => {
      await script.use(session, request.url)
      throw script.error
    })
    .get('/cached', ({ session, request }) => {
      script.change(session, request.url)
      return 'cached'
    })
    .get('/broken-stream', ({ session, request }) => {
      script.change(session, request.url)
      return new Response(ReadableStream.from(script.brokenBody()))
    })
    .use(
      new Elysia().use(inner).get('/inner', ({ session, request }) => {
        script.change(session, request.url)
        return script.use(inner.of({ request }), request.url)
      }),
    )
    .all('/same-site', () => 'same-site', {
      beforeHandle: refuseCrossSite({ allow: ['https://admin.example.com'] }),
    })
    .all('/fresh', () => 'fresh', { beforeHandle: requireFresh('5m', { redirectTo: '/login' }) })
    .get('/assigned', (context) => {
      Object.assign(context, { session: null })
      return 'assigned'
    })
    .get('/same', ({ session, request }) => String(own.of({ request }) === session))
    .get('/other', ({ request }) => script.use(other.of({ request }), request.url))
    .get('/both', async ({ session, request }) => {
      const mine = await script.use(session, request.url)
      return `${mine}\n${await script.use(other.of({ request }), request.url)}`
    })
}

async function* encoded(events: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder()
  for await (const event of events) yield encoder.encode(`data: ${event}\n\n`)
}
