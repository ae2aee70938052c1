/**
 * Sessions for Elysia 1.4, on Bun and wherever else it runs, as `session` in the context.
 *
 * @module
 */
import type { Elysia } from 'elysia'
import { assertSessions } from '../http/assert-sessions.ts'
import type { DefaultData, Session, SessionOpener } from '../http/exchange.ts'
import { dropBody, type FetchExchange, openFetchExchange } from '../http/fetch-exchange.ts'
import { isReplaced, RequestSessions, sessionIsAssigned } from '../http/request-sessions.ts'
import { savedResponse } from '../http/saved-response.ts'
import { wrongMount } from '../http/wrong-mount.ts'
import { processWide } from '../process-wide.ts'

export {
  type CrossSiteOptions,
  type ElysiaGuard,
  type FreshOptions,
  refuseCrossSite,
  requireElevated,
  requireFresh,
} from './elysia/guards.ts'

type Nothing = Elysia['~Singleton']['store']

/** An application whose routes find `session` in their context. */
export type ElysiaWithSession<Data extends object> = Elysia<
  '',
  {
    decorator: Nothing
    store: Nothing
    derive: {
      /** This request's session. Nothing is read until it is used. */
      readonly session: Session<Data>
    }
    resolve: Nothing
  }
>

/** An Elysia plugin that knows what its sessions hold. */
export interface ElysiaSessions<Data extends object> {
  (app: Elysia): ElysiaWithSession<Data>
  /**
   * The request's session, also in `onError` and `onRequest`, where the context has none. With several of
   * these in one application each gives its own, while `session` is that of the last one used.
   *
   * @throws {ConfigurationError} This plugin is not used by the application.
   */
  of(context: { readonly request: Request }): Session<Data>
}

/** What a handler has said of its response so far. */
interface ResponseSettings {
  headers: Record<string, unknown>
  status?: number | string
}

/** What handlers have said of the responses so far. */
const settingsOf = processWide('elysia-settings', () => new WeakMap<Request, ResponseSettings>())
/** Puts the settings back to what they were before the session changed. */
const settingsToRestore = processWide('elysia-restore', () => new WeakMap<Request, () => void>())

/** How many plugins there are. Each has a number of its own. */
const plugins = processWide('elysia-plugins', () => ({ count: 0 }))

type Kept<Data extends object> = RequestSessions<Data, FetchExchange<Data>>

type Handle = (...args: unknown[]) => unknown

/**
 * Makes the plugin that gives each request its session. Use it before the routes that need it; the types
 * of the routes that follow know the session.
 *
 * What changes is saved when the handler has returned. When that fails its response is dropped, no cookie is
 * sent, and the error goes to `onError`. What was set before an error is thrown, or by the error page, is
 * saved when that page is there; when that fails a short plain text answers. What changes after that, while
 * a body streams, is saved soon after each change; only changes that need no new cookie are possible then.
 *
 * @throws {ConfigurationError} `sessions` was not created by `createSessions()`.
 * @example
 * ```ts
 * import { Elysia } from 'elysia'
 * import { elysiaSessions } from 'pg-sessions/elysia'
 *
 * new Elysia()
 *   .use(elysiaSessions(sessions))
 *   .post('/login', async ({ session, redirect }) => {
 *     await session.signIn('ann')
 *     session.set('basket', [])
 *     return redirect('/')
 *   })
 *   .listen(3000)
 * ```
 */
export function elysiaSessions<Data extends object = DefaultData>(
  sessions: SessionOpener<Data>,
  ...noOptions: readonly never[]
): ElysiaSessions<Data> {
  assertSessions(sessions, 'elysiaSessions', noOptions)
  const kept: Kept<Data> = new RequestSessions(sessions, 'elysiaSessions')
  const around = (handle: Handle, request: Request): Handle => {
    if (!kept.keep(request, () => openExchange(sessions, request))) return handle
    return async (...args) => finished(kept, request, await handle(...args))
  }
  // Elysia takes two wraps of the same source for one, and drops the sessions of one of them.
  const source = `elysiaSessions ${plugins.count++}`
  around.toString = () => source
  const plugin = (app: Elysia): ElysiaWithSession<Data> => {
    if (typeof Object(app).onAfterHandle !== 'function') {
      throw wrongMount('elysiaSessions', 'app.use(elysiaSessions(sessions)) in Elysia 1.4 or newer')
    }
    return app
      .wrap(around as never)
      .derive({ as: 'global' }, ({ request, set }) => {
        const session = kept.of(request)
        settingsOf.set(request, set)
        return { session }
      })
      .onAfterHandle({ as: 'global' }, async (context) => {
        if (isReplaced(Reflect.get(context, 'session'))) throw sessionIsAssigned('elysiaSessions')
        await save(kept, context.request, context.response)
      })
  }
  return Object.assign(plugin, {
    of: ({ request }: { readonly request: Request }) => kept.of(request),
  })
}

function openExchange<Data extends object>(
  sessions: SessionOpener<Data>,
  request: Request,
): FetchExchange<Data> {
  return openFetchExchange(sessions, request, () => {
    const settings = settingsOf.get(request)
    if (settings === undefined) return
    const { status, headers } = settings
    const before = { status, headers: { ...headers } }
    settingsToRestore.set(request, () => Object.assign(settings, before))
  })
}

/** Saves where an error still finds its way to `onError`. */
async function save<Data extends object>(
  kept: Kept<Data>,
  request: Request,
  response: unknown,
): Promise<void> {
  const exchange = kept.opened(request)
  if (!exchange?.hasChanges) return
  try {
    await exchange.commit()
  } catch (error) {
    exchange.discard()
    settingsToRestore.get(request)?.()
    if (response instanceof Response) dropBody(response)
    throw error
  }
}

/** The response, whatever gave it, once everything is saved. */
async function finished<Data extends object>(
  kept: Kept<Data>,
  request: Request,
  response: unknown,
): Promise<unknown> {
  const exchange = kept.opened(request)
  if (exchange === null || !(response instanceof Response)) return response
  try {
    return await savedResponse(exchange, response)
  } finally {
    exchange.handOver()
    kept.end(request)
  }
}
