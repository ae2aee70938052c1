import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { fastifySessions, refuseCrossSite, requireFresh } from 'pg-sessions/fastify'
import { type OpenApplication, ownHeaders, type RunningApplication } from 'pg-sessions/testing'

/** The contract's application in Fastify. */
export const openFastifyApplication: OpenApplication = applicationIn(Fastify)

/** The contract's application in a version of Fastify. */
export function applicationIn(framework: typeof Fastify): OpenApplication {
  return (parts) => openApplication(framework({ forceCloseConnections: true }), parts)
}

async function openApplication(
  app: FastifyInstance,
  { sessions, others, script }: Parameters<OpenApplication>[0],
): Promise<RunningApplication> {
  const own = fastifySessions(sessions)
  const other = fastifySessions(others)
  app.setErrorHandler((error, request, reply) => {
    const { status, text } = script.errorPage(own.of(request), request.url, error)
    return reply.code(status).type('text/plain').send(text)
  })
  await app.register(other)
  await app.register(own)
  app.addHook('onSend', async (request, reply) => {
    if (request.url.startsWith('/cached')) {
      reply.header('Cache-Control', ownHeaders['Cache-Control'])
    }
  })
  const inner = fastifySessions(sessions)
  await app.register((scope, _options, done) => {
    scope.register(inner)
    scope.get('/inner', async (request) => {
      script.change(request.session, request.url)
      return script.use(inner.of(request), request.url)
    })
    done()
  })

  type Route = (request: FastifyRequest, reply: FastifyReply) => unknown
  const changing =
    (answer: Route): Route =>
    (request, reply) => {
      script.change(request.session, request.url)
      return answer(request, reply)
    }
  const routes: Record<string, Route> = {
    '/untouched': async () => 'untouched',
    '/use': async ({ session, url }) => script.use(session, url),
    '/change': changing((_request, reply) => reply.send('changed')),
    '/json': changing((_request, reply) => reply.send({ changed: true })),
    '/redirect': changing((_request, reply) => reply.redirect('/use')),
    '/empty': changing((_request, reply) => reply.code(204).send()),
    '/tagged': changing(({ headers }, reply) => {
      reply.header('etag', '"v1"')
      return headers['if-none-match'] === '"v1"' ? reply.code(304).send() : reply.send('tagged')
    }),
    '/headed': changing((_request, reply) => reply.headers({ ...ownHeaders }).send('headed')),
    '/stream': changing((_request, reply) => reply.send(Readable.from(script.body()))),
    '/events': changing(({ session, url }, reply) => {
      const body = Readable.from(lines(script.events(session, url)))
      return reply.type('text/event-stream').send(body)
    }),
    '/throw': changing(() => {
      throw script.error
    }),
    '/throw-later': async ({ session, url }) => {
      await script.use(session, url)
      throw script.error
    },
    '/passed-on': changing((_request, reply) => reply.callNotFound()),
    '/same': async (request) => {
      const { session } = request
      return String(request.session === session && own.of(request) === session)
    },
    '/other': async (request) => script.use(other.of(request), request.url),
    '/both': async (request) => {
      const mine = await script.use(request.session, request.url)
      return `${mine}\n${await script.use(other.of(request), request.url)}`
    },
    '/cached': changing((_request, reply) => reply.send('cached')),
    '/broken-stream': changing((_request, reply) =>
      reply.send(createReadStream('/there/is/no/such/file')),
    ),
    '/assigned': async (request) => {
      Object.assign(request, { session: null })
      return 'assigned'
    },
    '/raw': changing((_request, reply) => {
      reply.hijack()
      reply.raw.writeHead(200, { 'Content-Type': 'text/plain' })
      reply.raw.end('raw')
    }),
  }
  for (const [path, route] of Object.entries(routes)) app.get(path, route)
  app.all(
    '/same-site',
    { onRequest: refuseCrossSite({ allow: ['https://admin.example.com'] }) },
    async () => 'same-site',
  )
  const fresh = { preHandler: requireFresh('5m', { redirectTo: '/login' }) }
  app.all('/fresh', fresh, async () => 'fresh')

  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  return {
    origin,
    async close() {
      const closed = once(app.server, 'close')
      await app.close()
      await closed
    },
  }
}

async function* lines(events: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const event of events) yield `data: ${event}\n\n`
}
