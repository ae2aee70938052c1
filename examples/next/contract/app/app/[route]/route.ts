import { notFound, redirect } from 'next/navigation'
import type { Session } from 'pg-sessions'
import { refuseCrossSite, requireFresh } from 'pg-sessions/next'
import { type ErrorPage, ownHeaders, type Script } from 'pg-sessions/testing'
import { inner, other, own } from '../../session.ts'

type Answer = (request: Request) => Response | Promise<Response>

interface Context {
  readonly params: Promise<{ route: string }>
}

export async function GET(request: Request, { params }: Context): Promise<Response> {
  const answer = routes[(await params).route]
  if (answer === undefined) notFound()
  const onError = (error: unknown, session: Session): Response =>
    responseOf(script().errorPage(session, request.url, error))
  const inner = other().withSaving(answer)
  return own().withSaving(inner, { onError })(request)
}

export const POST = GET

const script = (): Script => globalThis.contractParts.script

const changing =
  (answer: Answer): Answer =>
  async (request) => {
    script().change(await own()(), request.url)
    return answer(request)
  }

const use = async ({ url }: Request, of = own()): Promise<string> => script().use(await of(), url)

const routes: Readonly<Record<string, Answer>> = {
  untouched: () => new Response('untouched'),
  use: async (request) => new Response(await use(request)),
  change: changing(() => new Response('changed')),
  json: changing(() => Response.json({ changed: true })),
  redirect: changing(() => new Response(null, { status: 302, headers: { location: '/use' } })),
  redirected: changing(() => redirect('/use')),
  empty: changing(() => new Response(null, { status: 204 })),
  tagged: changing(({ headers }) => {
    const isKnown = headers.get('if-none-match') === '"v1"'
    const status = isKnown ? 304 : 200
    return new Response(isKnown ? null : 'tagged', { status, headers: { etag: '"v1"' } })
  }),
  headed: changing(() => new Response('headed', { headers: linesOfOwn() })),
  stream: changing(() => new Response(streamOf(script().body()))),
  events: changing(async ({ url }) => {
    const events = script().events(await own()(), url)
    const headers = { 'content-type': 'text/event-stream' }
    return new Response(streamOf(encoded(events)), { headers })
  }),
  inner: changing((request) =>
    inner().withSaving((request: Request) => innermost(request))(request),
  ),
  cached: changing(
    () => new Response('cached', { headers: { 'Cache-Control': ownHeaders['Cache-Control'] } }),
  ),
  'broken-stream': changing(() => new Response(streamOf(script().brokenBody()))),
  throw: changing(() => {
    throw script().error
  }),
  'throw-later': async (request) => {
    await use(request)
    throw script().error
  },
  'passed-on': changing(() => notFound()),
  'same-site': refuseCrossSite(() => new Response('same-site'), {
    allow: ['https://admin.example.com'],
  }),
  fresh: (request) =>
    requireFresh(own(), '5m', () => new Response('fresh'), { redirectTo: '/login' })(request),
  same: async () => {
    const session = await own()()
    return new Response(String(session === (await own()())))
  },
  other: async (request) => new Response(await use(request, other())),
  both: async (request) => new Response(`${await use(request)}\n${await use(request, other())}`),
}

async function innermost(request: Request): Promise<Response> {
  return new Response(await use(request, inner()))
}

function responseOf({ status, text }: ErrorPage): Response {
  return new Response(text, { status })
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
