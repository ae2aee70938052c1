import { defineHandler, type H3Event, HTTPError, iterable, redirect } from 'nitro/h3'
import { ownHeaders, type Script } from 'pg-sessions/testing'
import '../../parts.ts'

type Answer = (event: H3Event) => unknown

export default defineHandler((event) => {
  const answer = routes[event.context.params?.route ?? ''] ?? notFound
  return answer(event)
})

const notFound: Answer = () => {
  throw new HTTPError({ status: 404 })
}

const script = (): Script => globalThis.contractParts.script

const changing =
  (answer: Answer): Answer =>
  (event) => {
    script().change(event.context.session, event.req.url)
    return answer(event)
  }

const use = ({ context, req }: H3Event, session = context.session): Promise<string> =>
  script().use(session, req.url)

const routes: Readonly<Record<string, Answer>> = {
  untouched: () => 'untouched',
  use: (event) => use(event),
  change: changing(() => 'changed'),
  json: changing(() => ({ changed: true })),
  redirect: changing(() => redirect('/use')),
  empty: changing(({ res }) => {
    res.status = 204
    return ''
  }),
  tagged: changing(({ req, res }) => {
    res.headers.set('ETag', '"v1"')
    if (req.headers.get('if-none-match') === '"v1"') res.status = 304
    return 'tagged'
  }),
  headed: changing(({ res }) => {
    for (const [name, values] of Object.entries(ownHeaders)) {
      for (const value of [values].flat()) res.headers.append(name, value)
    }
    return 'headed'
  }),
  stream: changing(() => iterable(script().body())),
  events: changing(({ context, req, res }) => {
    res.headers.set('Content-Type', 'text/event-stream')
    return iterable(encoded(script().events(context.session, req.url)))
  }),
  inner: (event) => use(event),
  cached: changing(() => 'cached'),
  'broken-stream': changing(() => iterable(script().brokenBody())),
  throw: changing(() => {
    throw script().error
  }),
  'throw-later': async (event) => {
    await use(event)
    throw script().error
  },
  'passed-on': changing(notFound),
  // Nitro answers a path itself, past its plugins.
  fetched: async () => (await fetch('/has-session')).text(),
  'has-session': ({ context }) => String('session' in context),
  same: () => 'true',
  'same-site': () => 'same-site',
  fresh: () => 'fresh',
  other: (event) => use(event, event.context.other),
  both: async (event) => `${await use(event)}\n${await use(event, event.context.other)}`,
}

async function* encoded(events: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder()
  for await (const event of events) yield encoder.encode(`data: ${event}\n\n`)
}
