import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import express, { type ErrorRequestHandler, type Request, type RequestHandler } from 'express'
import { expressSessions, refuseCrossSite, requireFresh } from 'pg-sessions/express'
import { type OpenApplication, ownHeaders } from 'pg-sessions/testing'
import { beforeHead, setCacheControl } from './before-head.ts'
import { serve } from './listen.ts'

/** The contract's application in Express. */
export const openExpressApplication: OpenApplication = applicationIn(express)

/** The contract's application in a version of Express. */
export function applicationIn(framework: typeof express): OpenApplication {
  return (parts) => openApplication(framework, parts)
}

function openApplication(
  framework: typeof express,
  { sessions, others, script }: Parameters<OpenApplication>[0],
): ReturnType<OpenApplication> {
  const app = framework()
  const other = expressSessions(others)
  const own = expressSessions(sessions)
  app.use('/cached', (_req, res, next) => {
    beforeHead(res, () => setCacheControl(res))
    next()
  })
  app.use(other, own, own)
  const change = (req: Request): void => script.change(req.session, req.url)

  app.get('/untouched', (_req, res) => void res.send('untouched'))
  app.get(
    '/use',
    forwarding(async (req, res) => void res.send(await script.use(req.session, req.url))),
  )
  app.get('/change', (req, res) => {
    change(req)
    res.send('changed')
  })
  app.get('/json', (req, res) => {
    change(req)
    res.json({ changed: true })
  })
  app.get('/redirect', (req, res) => {
    change(req)
    res.redirect('/use')
  })
  app.get('/empty', (req, res) => {
    change(req)
    res.sendStatus(204)
  })
  app.get('/tagged', (req, res) => {
    change(req)
    res.set('ETag', '"v1"').send('tagged')
  })
  app.get('/headed', (req, res) => {
    change(req)
    res.set({ ...ownHeaders }).send('headed')
  })
  app.get(
    '/stream',
    forwarding(async (req, res) => {
      change(req)
      await pipeline(Readable.from(script.body()), res).catch(() => undefined)
    }),
  )
  app.get(
    '/events',
    forwarding(async (req, res) => {
      change(req)
      res.type('text/event-stream').flushHeaders()
      for await (const event of script.events(req.session, req.url)) res.write(`data: ${event}\n\n`)
      res.end()
    }),
  )
  app.get('/throw', (req) => {
    change(req)
    throw script.error
  })
  app.get(
    '/throw-later',
    forwarding(async (req) => {
      await script.use(req.session, req.url)
      throw script.error
    }),
  )
  app.get('/passed-on', (req, _res, next) => {
    change(req)
    next()
  })
  app.get('/same', (req, res, next) => {
    const { session } = req
    own(req, res, () => {
      res.send(String(req.session === session && own.of(req) === session))
    })
    void next
  })
  app.get(
    '/other',
    forwarding(async (req, res) => void res.send(await script.use(other.of(req), req.url))),
  )
  app.get(
    '/both',
    forwarding(async (req, res) => {
      const mine = await script.use(req.session, req.url)
      res.send(`${mine}\n${await script.use(other.of(req), req.url)}`)
    }),
  )
  app.all('/same-site', refuseCrossSite({ allow: ['https://admin.example.com'] }), (_req, res) => {
    res.send('same-site')
  })
  app.all('/fresh', requireFresh('5m', { redirectTo: '/login' }), (_req, res) => {
    res.send('fresh')
  })
  app.get('/assigned', (req, res) => {
    Object.assign(req, { session: null })
    res.send('assigned')
  })
  const inner = expressSessions(sessions)
  const router = framework.Router().use(inner)
  router.get(
    '/inner',
    forwarding(async (req, res) => void res.send(await script.use(inner.of(req), req.url))),
  )
  app.get('/inner', (req, _res, next) => {
    change(req)
    next()
  })
  app.use(router)
  app.get('/cached', (req, res) => {
    change(req)
    res.send('cached')
  })
  app.get(
    '/broken-stream',
    forwarding(async (req, res) => {
      change(req)
      await pipeline(createReadStream('/there/is/no/such/file'), res)
    }),
  )
  app.get('/raw', (req, res) => {
    change(req)
    res.writeHead(200, { 'Content-Type': 'text/plain' })
    res.end('raw')
  })

  const errorPage: ErrorRequestHandler = (error, req, res, next) => {
    if (res.headersSent) return next(error)
    const { status, text } = script.errorPage(req.session, req.url, error)
    res.status(status).send(text)
  }
  app.use(errorPage)
  return serve(app)
}

/** Passes on what an asynchronous handler rejects with. Express 4 does not do that itself. */
function forwarding(
  handler: (...args: Parameters<RequestHandler>) => Promise<void>,
): RequestHandler {
  return (req, res, next) => void handler(req, res, next).catch(next)
}
