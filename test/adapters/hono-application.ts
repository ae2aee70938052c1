import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import type { Session } from 'pg-sessions'
import { honoSessions, refuseCrossSite, requireFresh } from 'pg-sessions/hono'
import { type OpenApplication, ownHeaders } from 'pg-sessions/testing'
import { serve } from './listen.ts'

/** The contract's application in Hono. */
export const openHonoApplication: OpenApplication = applicationIn(Hono, streamSSE)

/** The contract's application in a version of Hono, which brings the `streamSSE` along. */
export function applicationIn(framework: typeof Hono, sse: typeof streamSSE): OpenApplication {
  return (parts) => openApplication(framework, sse, parts)
}

function openApplication(
  framework: typeof Hono,
  sse: typeof streamSSE,
  { sessions, others, script }: Parameters<OpenApplication>[0],
): ReturnType<OpenApplication> {
  const own = honoSessions(sessions)
  const other = honoSessions(others)
  const change = (c: { var: { session: Session }; req: { url: string } }): void =>
    script.change(c.var.session, c.req.url)

  const app = new framework()
    .use('/cached', async (c, next) => {
      await next()
      c.header('Cache-Control', ownHeaders['Cache-Control'])
    })
    .use('*', other, own, own)
    .get('/untouched', (c) => c.text('untouched'))
    .get('/use', async (c) => c.text(await script.use(c.var.session, c.req.url)))
    .get('/change', (c) => {
      change(c)
      return c.text('changed')
    })
    .get('/json', (c) => {
      change(c)
      return c.json({ changed: true })
    })
    .get('/redirect', (c) => {
      change(c)
      return Response.redirect(new URL('/use', c.req.url), 302)
    })
    .get('/empty', (c) => {
      change(c)
      return c.body(null, 204)
    })
    .get('/tagged', (c) => {
      change(c)
      c.header('ETag', '"v1"')
      return c.req.header('if-none-match') === '"v1"' ? c.body(null, 304) : c.text('tagged')
    })
    .get('/headed', (c) => {
      change(c)
      for (const [name, values] of Object.entries(ownHeaders)) {
        for (const value of [values].flat()) c.header(name, value, { append: true })
      }
      return c.text('headed')
    })
    .get('/stream', (c) => {
      change(c)
      return c.body(ReadableStream.from(script.body()))
    })
    .get('/events', (c) => {
      change(c)
      return sse(c, async (stream) => {
        for await (const data of script.events(c.var.session, c.req.url)) {
          await stream.writeSSE({ data })
        }
      })
    })
    .get('/throw', (c) => {
      change(c)
      throw script.error
    })
    .get('/throw-later', async (c) => {
      await script.use(c.var.session, c.req.url)
      throw script.error
    })
    .get('/passed-on', async (c, next) => {
      change(c)
      await next()
    })
    .get('/same', (c) => {
      const { session } = c.var
      return c.text(String(c.get('session') === session && own.of(c) === session))
    })
    .get('/other', async (c) => c.text(await script.use(other.of(c), c.req.url)))
    .get('/both', async (c) => {
      const mine = await script.use(c.var.session, c.req.url)
      return c.text(`${mine}\n${await script.use(other.of(c), c.req.url)}`)
    })
  app.all('/same-site', refuseCrossSite({ allow: ['https://admin.example.com'] }), (c) =>
    c.text('same-site'),
  )
  app.all('/fresh', requireFresh('5m', { redirectTo: '/login' }), (c) => c.text('fresh'))
  app.get('/assigned', (c) => {
    c.set('session', null as never)
    return c.text('assigned')
  })
  const inner = honoSessions(sessions)
  app.use('/inner', async (c, next) => {
    change(c)
    await next()
  })
  app.route(
    '/inner',
    new framework()
      .use(inner)
      .get('/', async (c) => c.text(await script.use(inner.of(c), c.req.url))),
  )
  app.get('/cached', (c) => {
    change(c)
    return c.text('cached')
  })
  app.get('/broken-stream', (c) => {
    change(c)
    return c.body(ReadableStream.from(script.brokenBody()))
  })
  app.onError((error, c) => {
    const { status, text } = script.errorPage(own.of(c), c.req.url, error)
    return new Response(text, { status })
  })
  // The server's own stand-in for `Response` would hide what the standard's does.
  return serve(getRequestListener(app.fetch, { overrideGlobalObjects: false }))
}
