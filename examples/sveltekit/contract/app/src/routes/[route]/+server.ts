import { error, json, type RequestEvent, redirect, text } from '@sveltejs/kit'
import { ownHeaders, type Script } from 'pg-sessions/testing'
import '../../../../parts.ts'

type Answer = (event: RequestEvent) => Response | Promise<Response>

export const GET: Answer = (event) => {
  const answer = routes[event.params.route ?? '']
  return answer === undefined ? error(404) : answer(event)
}

export const POST = GET

const script = (): Script => globalThis.contractParts.script

const changing =
  (answer: Answer): Answer =>
  (event) => {
    script().change(event.locals.session, event.request.url)
    return answer(event)
  }

const use = ({ locals, request }: RequestEvent, session = locals.session): Promise<string> =>
  script().use(session, request.url)

const routes: Readonly<Record<string, Answer>> = {
  untouched: () => text('untouched'),
  use: async (event) => text(await use(event)),
  change: changing(() => text('changed')),
  json: changing(() => json({ changed: true })),
  redirect: changing(() => redirect(302, '/use')),
  empty: changing(() => new Response(null, { status: 204 })),
  tagged: changing(() => text('tagged', { headers: { etag: '"v1"' } })),
  headed: changing(() => text('headed', { headers: linesOfOwn() })),
  stream: changing(() => new Response(streamOf(script().body()))),
  events: changing(({ locals, request }) => {
    const events = script().events(locals.session, request.url)
    return new Response(streamOf(encoded(events)), {
      headers: { 'content-type': 'text/event-stream' },
    })
  }),
  inner: async (event) => text(await use(event, event.locals.inner?.of(event))),
  cached: changing(() => text('cached')),
  'broken-stream': changing(() => new Response(streamOf(script().brokenBody()))),
  throw: changing(() => {
    throw script().error
  }),
  'throw-later': async (event) => {
    await use(event)
    throw script().error
  },
  'passed-on': changing(() => error(404)),
  fetches: async (event) => text(await (await event.fetch(`/use${event.url.search}`)).text()),
  same: ({ locals }) => text(String(locals.own.of({ locals }) === locals.session)),
  'same-site': () => text('same-site'),
  fresh: () => text('fresh'),
  assigned: ({ locals }) => {
    Object.assign(locals, { session: null })
    return text('assigned')
  },
  other: async (event) => text(await use(event, event.locals.other.of(event))),
  both: async (event) => {
    const mine = await use(event)
    return text(`${mine}\n${await use(event, event.locals.other.of(event))}`)
  },
}

function linesOfOwn(): [string, string][] {
  return Object.entries(ownHeaders).flatMap(([name, values]) =>
    [values].flat().map((value): [string, string] => [name, value]),
  )
}

function streamOf(chunks: AsyncGenerator<Uint8Array> | AsyncIterable<Uint8Array>): ReadableStream {
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
