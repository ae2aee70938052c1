import type { APIContext, APIRoute } from 'astro'
import { ownHeaders, type Script } from 'pg-sessions/testing'
import '../../../parts.ts'

type Answer = (context: APIContext) => Response | Promise<Response>

export const GET: APIRoute = (context) => {
  const answer = routes[context.params.route ?? '']
  return answer === undefined ? new Response(null, { status: 404 }) : answer(context)
}

export const POST = GET

const script = (): Script => globalThis.contractParts.script

const changing =
  (answer: Answer): Answer =>
  (context) => {
    script().change(context.locals.session, context.request.url)
    return answer(context)
  }

const use = ({ locals, request }: APIContext, session = locals.session): Promise<string> =>
  script().use(session, request.url)

const routes: Readonly<Record<string, Answer>> = {
  untouched: () => new Response('untouched'),
  use: async (context) => new Response(await use(context)),
  change: changing(() => new Response('changed')),
  json: changing(() => Response.json({ changed: true })),
  redirect: changing(({ redirect }) => redirect('/use')),
  empty: changing(() => new Response(null, { status: 204 })),
  tagged: changing(({ request }) => {
    const headers = { etag: '"v1"' }
    const isKnown = request.headers.get('if-none-match') === headers.etag
    return isKnown
      ? new Response(null, { status: 304, headers })
      : new Response('tagged', { headers })
  }),
  headed: changing(() => new Response('headed', { headers: linesOfOwn() })),
  stream: changing(() => new Response(streamOf(script().body()))),
  events: changing(({ locals, request }) => {
    const events = script().events(locals.session, request.url)
    return new Response(streamOf(encoded(events)), {
      headers: { 'content-type': 'text/event-stream' },
    })
  }),
  throw: changing(() => {
    throw script().error
  }),
  'throw-later': async (context) => {
    await use(context)
    throw script().error
  },
  inner: async (context) => new Response(await use(context, context.locals.inner.of(context))),
  cached: changing(() => new Response('cached')),
  'broken-stream': changing(() => new Response(streamOf(script().brokenBody()))),
  same: ({ locals }) =>
    new Response(String(locals.own.of({ locals, isPrerendered: false }) === locals.session)),
  'same-site': () => new Response('same-site'),
  fresh: () => new Response('fresh'),
  assigned: ({ locals }) => {
    Object.assign(locals, { session: null })
    return new Response('assigned')
  },
  other: async (context) => new Response(await use(context, context.locals.other.of(context))),
  both: async (context) => {
    const mine = await use(context)
    return new Response(`${mine}\n${await use(context, context.locals.other.of(context))}`)
  },
}

function linesOfOwn(): [string, string][] {
  return Object.entries(ownHeaders).flatMap(([name, values]) =>
    [values].flat().map((value): [string, string] => [name, value]),
  )
}

function streamOf(chunks: AsyncIterable<Uint8Array>): ReadableStream {
  const iterator = chunks[Symbol.asyncIterator]()
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await iterator.next()
      if (done) controller.close()
      else controller.enqueue(value)
    },
  })
}

async function* encoded(events: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder()
  for await (const event of events) yield encoder.encode(`data: ${event}\n\n`)
}
