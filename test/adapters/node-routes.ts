import { createReadStream } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Session } from 'pg-sessions'
import { ownHeaders, type Script } from 'pg-sessions/testing'

/** What a route has, where there is no framework to give it more. */
interface Visit {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly url: string
  session(): Session
  /** Of a second adapter of the same sessions. */
  inner(): Session
  other(): Session
}

type Route = (visit: Visit) => void | Promise<void>

/** The contract's routes in plain Node, but for those that every user of it does in their own way. */
export function nodeRoutes(script: Script): Readonly<Record<string, Route>> {
  const changing =
    (answer: Route): Route =>
    (visit) => {
      script.change(visit.session(), visit.url)
      return answer(visit)
    }
  return {
    '/untouched': ({ response }) => void response.end('untouched'),
    '/use': async ({ response, session, url }) => {
      response.end(await script.use(session(), url))
    },
    '/change': changing(({ response }) => void response.end('changed')),
    '/json': changing(({ response }) => {
      response.setHeader('Content-Type', 'application/json')
      response.end(JSON.stringify({ changed: true }))
    }),
    '/redirect': changing(
      ({ response }) => void response.writeHead(302, { Location: '/use' }).end(),
    ),
    '/empty': changing(({ response }) => void response.writeHead(204).end()),
    '/tagged': changing(({ request, response }) => {
      const isKnown = request.headers['if-none-match'] === '"v1"'
      response.writeHead(isKnown ? 304 : 200, { ETag: '"v1"' })
      response.end(isKnown ? undefined : 'tagged')
    }),
    '/headed': changing(
      ({ response }) => void response.writeHead(200, { ...ownHeaders }).end('headed'),
    ),
    '/stream': changing(async ({ response }) => {
      await pipeline(Readable.from(script.body()), response).catch(() => undefined)
    }),
    '/events': changing(async ({ response, session, url }) => {
      response.setHeader('Content-Type', 'text/event-stream')
      response.flushHeaders()
      for await (const event of script.events(session(), url)) response.write(`data: ${event}\n\n`)
      response.end()
    }),
    '/throw': changing(() => {
      throw script.error
    }),
    '/throw-later': async ({ session, url }) => {
      await script.use(session(), url)
      throw script.error
    },
    '/same': ({ response, session }) => {
      const first = session()
      response.end(String(session() === first))
    },
    '/other': async ({ response, other, url }) => {
      response.end(await script.use(other(), url))
    },
    '/both': async ({ response, session, other, url }) => {
      const mine = await script.use(session(), url)
      response.end(`${mine}\n${await script.use(other(), url)}`)
    },
    '/inner': changing(async ({ response, inner, url }) => {
      response.end(await script.use(inner(), url))
    }),
    '/cached': changing(({ response }) => void response.end('cached')),
    '/broken-stream': changing(({ response }) =>
      pipeline(createReadStream('/there/is/no/such/file'), response),
    ),
    '/same-site': ({ response }) => void response.end('same-site'),
    '/fresh': ({ response }) => void response.end('fresh'),
    '/raw': changing(({ response }) => {
      response.write('r')
      response.end('aw')
    }),
  }
}
