import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { createReadableStreamFromReadable, createRequestListener } from '@react-router/node'
import type { Session } from 'pg-sessions'
import { reactRouterSessions, refuseCrossSite, requireFresh } from 'pg-sessions/react-router'
import {
  type ErrorPage,
  type OpenApplication,
  ownHeaders,
  type RunningApplication,
  type Script,
} from 'pg-sessions/testing'
import {
  createContext,
  data,
  isRouteErrorResponse,
  type LoaderFunctionArgs,
  type MiddlewareFunction,
  redirect,
  type ServerBuild,
} from 'react-router'

const ownContext = createContext<Session>()
const otherContext = createContext<Session>()
const innerContext = createContext<Session>()

type RouteModule = Omit<NonNullable<ServerBuild['routes'][string]>['module'], 'default'> & {
  readonly default: unknown
}
type Entry = ServerBuild['entry']['module']
type Render = (url: string, session: Session) => BodyInit | null

/**
 * The contract's application as documents of React Router: what loaders return is rendered by the server's
 * entry, which is where an application renders its error boundaries, too.
 */
export const openApplication: OpenApplication = ({ sessions, others, script }) => {
  const own = reactRouterSessions(sessions, ownContext)
  const outermost: MiddlewareFunction<Response> = async ({ request }, next) => {
    const response = await next()
    if (new URL(request.url).pathname === '/cached') {
      response.headers.set('Cache-Control', ownHeaders['Cache-Control'])
    }
    return response
  }
  const other = reactRouterSessions(others, otherContext)
  const middleware = [outermost, ...other, ...own, ...own]
  const inner = { middleware: reactRouterSessions(sessions, innerContext) }
  const root: RouteModule = { default: () => null, middleware }
  return serve(serverBuild(root, routesOf(script, inner), entryOf(script)))
}

function routesOf(
  script: Script,
  inner: Pick<RouteModule, 'middleware'>,
): Record<string, RouteModule> {
  const route = (loader: (args: LoaderFunctionArgs) => unknown): RouteModule => ({
    default: () => null,
    headers: ({ loaderHeaders }) => loaderHeaders,
    loader,
  })
  const changing = (answer: (args: LoaderFunctionArgs) => unknown): RouteModule =>
    route((args) => {
      script.change(args.context.get(ownContext), args.request.url)
      return answer(args)
    })
  const use = ({ context, request }: LoaderFunctionArgs, of = ownContext): Promise<string> =>
    script.use(context.get(of), request.url)

  // React Router itself refuses documents that other sites send, but no resources.
  const resource = (text: string): RouteModule => {
    const answer = (): Response => new Response(text)
    return { default: undefined, loader: answer, action: answer }
  }
  return {
    untouched: route(() => 'untouched'),
    use: route((args) => use(args)),
    change: changing(() => 'changed'),
    json: changing(() => ({ changed: true })),
    redirect: changing(() => redirect('/use')),
    empty: changing(() => data(null, 204)),
    tagged: changing(({ request }) => {
      const isKnown = request.headers.get('if-none-match') === '"v1"'
      return data(isKnown ? null : 'tagged', {
        status: isKnown ? 304 : 200,
        headers: { ETag: '"v1"' },
      })
    }),
    headed: changing(() => data('headed', { headers: linesOfOwn() })),
    stream: changing(() => 'rendered'),
    events: changing(() => 'rendered'),
    inner: {
      ...route(async (args) => {
        script.change(args.context.get(ownContext), args.request.url)
        return use(args, innerContext)
      }),
      ...inner,
    },
    cached: changing(() => 'cached'),
    'broken-stream': changing(() => 'rendered'),
    throw: changing(() => {
      throw script.error
    }),
    'throw-later': route(async (args) => {
      await use(args)
      throw script.error
    }),
    'passed-on': changing(() => {
      throw data('Not here', 404)
    }),
    same: route(({ context }) => {
      const session = context.get(ownContext)
      return String(session === context.get(ownContext))
    }),
    'same-site': {
      ...resource('same-site'),
      middleware: [refuseCrossSite({ allow: ['https://admin.example.com'] })],
    },
    fresh: {
      ...resource('fresh'),
      middleware: [requireFresh(ownContext, '5m', { redirectTo: '/login' })],
    },
    other: route((args) => use(args, otherContext)),
    both: route(async (args) => `${await use(args)}\n${await use(args, otherContext)}`),
  }
}

function entryOf(script: Script): Entry {
  const pages = new WeakMap<Request, ErrorPage>()
  const renders: Readonly<Record<string, Render>> = {
    stream: () => streamOf(script.body()),
    'broken-stream': () => streamOf(script.brokenBody()),
    events: (url, session) => streamOf(encoded(script.events(session, url))),
  }
  return {
    handleError(error, { context, request }) {
      if (isRouteErrorResponse(error) && error.status === 404) return
      const cause: unknown = isRouteErrorResponse(error) ? Reflect.get(error, 'error') : error
      pages.set(request, script.errorPage(context.get(ownContext), request.url, cause))
    },
    default(request, status, headers, { staticHandlerContext }, context) {
      const page = pages.get(request)
      if (page !== undefined) return new Response(page.text, { status: page.status })
      if (staticHandlerContext.errors !== null) return new Response('Not here', { status })
      const { route } = staticHandlerContext.matches.at(-1) ?? {}
      const loaded: unknown = staticHandlerContext.loaderData[route?.id ?? '']
      const render = renders[route?.id ?? '']
      if (render !== undefined) {
        if (route?.id === 'events') headers.set('content-type', 'text/event-stream')
        return new Response(render(request.url, context.get(ownContext)), { status, headers })
      }
      const body = typeof loaded === 'string' ? loaded : JSON.stringify(loaded)
      return new Response(body, { status, headers })
    },
  }
}

/** What React Router 7 has to be asked for, and 8 has. */
const future: object = { v8_middleware: true }

/** What the build of an application's routes makes. */
export function serverBuild(
  root: RouteModule,
  routes: Readonly<Record<string, RouteModule>>,
  entry: Entry,
): ServerBuild {
  return {
    entry: { module: entry },
    routes: {
      root: { id: 'root', path: '', module: root },
      ...Object.fromEntries(
        Object.entries(routes).map(([id, module]) => [
          id,
          { id, parentId: 'root', path: id, module },
        ]),
      ),
    },
    assets: { entry: { imports: [], module: '' }, routes: {}, url: '', version: '' },
    publicPath: '/',
    assetsBuildDirectory: '',
    future: future as ServerBuild['future'],
    ssr: true,
    isSpaMode: false,
    prerender: [],
    routeDiscovery: { mode: 'initial', manifestPath: '/__manifest' },
  } as ServerBuild
}

/** Serves a build as `react-router-serve` does, on a port of its own. */
export async function serve(build: ServerBuild): Promise<RunningApplication> {
  const listener: (...args: Parameters<RequestListener>) => unknown = createRequestListener({
    build,
    mode: 'production',
  })
  const server = createServer((request, response) => {
    // The listener of version 7 rejects when a body fails, and leaves the response open.
    Promise.resolve(listener(request, response)).catch(() => response.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

/** A body of what comes. */
export function streamOf(chunks: AsyncIterable<Uint8Array>): ReadableStream {
  return createReadableStreamFromReadable(Readable.from(chunks, { objectMode: false }))
}

function linesOfOwn(): [string, string][] {
  return Object.entries(ownHeaders).flatMap(([name, values]) =>
    [values].flat().map((value): [string, string] => [name, value]),
  )
}

async function* encoded(events: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder()
  for await (const event of events) yield encoder.encode(`data: ${event}\n\n`)
}
