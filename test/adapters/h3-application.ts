import { type EventHandler, H3, type H3Event, iterable, redirect, toNodeHandler } from 'h3'
import { h3Sessions, refuseCrossSite, requireFresh } from 'pg-sessions/h3'
import { type OpenApplication, ownHeaders, type Script } from 'pg-sessions/testing'
import { serve } from './listen.ts'

/** The contract's application in h3. */
export const openH3Application: OpenApplication = ({ sessions, others, script }) => {
  const own = h3Sessions(sessions)
  const other = h3Sessions(others)
  const app = new H3({
    silent: true,
    onError(error, event) {
      const reason = error.cause instanceof Error ? error.cause : error
      const { status, text } = script.errorPage(own.of(event), event.req.url, reason)
      return new Response(text, { status })
    },
  })
    .use('/cached', async ({ res }, next) => {
      const value = await next()
      res.headers.set('Cache-Control', ownHeaders['Cache-Control'])
      return value
    })
    .register(other)
    .register(own)
    .register(own)
    .use('/passed-on', ({ context, req }) => script.change(context.session, req.url))
    .get('/same', (event) => String(own.of(event) === event.context.session))
    .get('/other', (event) => script.use(other.of(event), event.req.url))
    .get('/both', async (event) => {
      const mine = await script.use(event.context.session, event.req.url)
      return `${mine}\n${await script.use(other.of(event), event.req.url)}`
    })
  for (const [path, route] of Object.entries(h3Routes(script))) app.get(path, route)
  app
    .use('/same-site', refuseCrossSite({ allow: ['https://admin.example.com'] }))
    .all('/same-site', () => 'same-site')
    .use('/fresh', requireFresh('5m', { redirectTo: '/login' }))
    .all('/fresh', () => 'fresh')
    .get('/assigned', ({ context }) => {
      Object.assign(context, { session: null })
      return 'assigned'
    })
  app.use('/inner', ({ context, req }) => script.change(context.session, req.url))
  const inner = h3Sessions(sessions)
  app.mount(
    '/inner',
    new H3().register(inner).get('/', (event) => script.use(inner.of(event), event.req.url)),
  )
  return serve(toNodeHandler(app))
}

function h3Routes(script: Script): Readonly<Record<string, EventHandler>> {
  const changing =
    (answer: (event: H3Event) => unknown): EventHandler =>
    (event) => {
      script.change(event.context.session, event.req.url)
      return answer(event)
    }
  return {
    '/untouched': () => 'untouched',
    '/use': ({ context, req }) => script.use(context.session, req.url),
    '/change': changing(() => 'changed'),
    '/json': changing(() => ({ changed: true })),
    '/redirect': changing(() => redirect('/use')),
    '/empty': changing(({ res }) => {
      res.status = 204
      return ''
    }),
    '/tagged': changing(({ req, res }) => {
      res.headers.set('ETag', '"v1"')
      if (req.headers.get('if-none-match') === '"v1"') res.status = 304
      return 'tagged'
    }),
    '/headed': changing(({ res }) => {
      for (const [name, values] of Object.entries(ownHeaders)) {
        for (const value of [values].flat()) res.headers.append(name, value)
      }
      return 'headed'
    }),
    '/stream': changing(() => iterable(script.body())),
    '/events': changing(({ context, req }) => {
      const body = ReadableStream.from(encoded(script.events(context.session, req.url)))
      return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } })
    }),
    '/cached': changing(() => 'cached'),
    '/broken-stream': changing(() => ReadableStream.from(script.brokenBody())),
    '/throw': changing(() => {
      throw script.error
    }),
    '/throw-later': async ({ context, req }) => {
      await script.use(context.session, req.url)
      throw script.error
    },
  }
}

async function* encoded(events: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder()
  for await (const event of events) yield encoder.encode(`data: ${event}\n\n`)
}
