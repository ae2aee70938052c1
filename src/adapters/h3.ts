/**
 * Sessions for h3 2, and so for Nitro 3, on `event.context.session`.
 *
 * @module
 */
import type { H3Event, H3EventContext, H3Plugin } from 'h3'
import { ConfigurationError } from '../errors.ts'
import { assertSessions } from '../http/assert-sessions.ts'
import type { DefaultData, Session, SessionOpener } from '../http/exchange.ts'
import { type FetchExchange, fieldsOf, openFetchExchange } from '../http/fetch-exchange.ts'
import { RequestSessions } from '../http/request-sessions.ts'
import { keepInHead } from '../http/response-headers.ts'
import { SharedState } from '../http/shared-state.ts'
import { wrongMount } from '../http/wrong-mount.ts'
import { processWide } from '../process-wide.ts'
import { addToErrorPage, addToValue, dropValue, isNotFound, rememberHeaders } from './h3/answer.ts'

export {
  type CrossSiteOptions,
  type FreshOptions,
  refuseCrossSite,
  requireElevated,
  requireFresh,
} from './h3/guards.ts'

declare module 'h3' {
  interface H3EventContext {
    /** This request's session. Nothing is read until it is used. */
    session: Session
  }
}

/** An h3 plugin that knows what its sessions hold. */
export interface H3Sessions<Data extends object> extends H3Plugin {
  /**
   * The request's session with the type that `createSessions` was given. With several of these in one
   * application each gives its own, while `event.context.session` is that of the last one registered.
   *
   * @throws {ConfigurationError} This plugin is not registered for the route.
   */
  of(event: { readonly context: H3EventContext }): Session<Data>
}

type Kept<Data extends object> = RequestSessions<Data, FetchExchange<Data>>

/** The applications that have the plugin, for each `sessions` object. */
const applications = processWide('h3-applications', () => new SharedState(() => new WeakSet()))
/** Puts an event's own headers back to what they were before its session changed. */
const headersToRestore = processWide('h3-headers', () => new WeakMap<H3Event, () => void>())

/**
 * Makes the plugin that gives each request its session. Register it on the application that is served,
 * before the middleware and the routes that use it.
 *
 * What changes is saved when the handler has returned or thrown, and what the error page changes when
 * that has. When the first save fails its response is dropped, no cookie is sent, and the error goes to
 * `onError`, as the `cause` of an `HTTPError` with a fitting `status`. The cookie reaches error pages and
 * 404s, for which h3 drops all headers but `errHeaders`. What changes after that, while a body streams, is
 * saved soon after each change; only changes that need no new cookie are possible then.
 *
 * @throws {ConfigurationError} `sessions` was not created by `createSessions()`.
 * @example
 * ```ts
 * import { H3, redirect, serve } from 'h3'
 * import { h3Sessions } from 'pg-sessions/h3'
 *
 * const app = new H3().register(h3Sessions(sessions)).post('/login', async (event) => {
 *   await event.context.session.signIn('ann')
 *   event.context.session.set('basket', [])
 *   return redirect('/')
 * })
 * serve(app)
 * ```
 */
export function h3Sessions<Data extends object = DefaultData>(
  sessions: SessionOpener<Data>,
  ...noOptions: readonly never[]
): H3Sessions<Data> {
  assertSessions(sessions, 'h3Sessions', noOptions)
  const kept: Kept<Data> = new RequestSessions(sessions, 'h3Sessions')
  const registered = applications.of(sessions)
  const plugin: H3Plugin = (app) => {
    if (isOfH31(app)) {
      throw new ConfigurationError(
        'h3Sessions needs h3 2: this application runs on h3 1, which has no plugins. Upgrade h3, and write app.register(h3Sessions(sessions)).',
      )
    }
    if (typeof Object(app).config !== 'object') {
      throw wrongMount('h3Sessions', 'app.register(h3Sessions(sessions)) in h3, not app.use')
    }
    if (registered.has(app)) return
    registered.add(app)
    const { onError, onResponse } = app.config
    app.use((event, next) => {
      const owns = kept.keep(event.req, () => openExchange(sessions, event), event.context)
      kept.expose(event.context)
      return owns ? savedValue(kept, event, next) : next()
    })
    app.config.onError = (error, event) =>
      savedErrorPage(kept, event, async () => onError?.(error, event))
    app.config.onResponse = async (response, event) => {
      try {
        await onResponse?.(response, event)
      } finally {
        const exchange = kept.opened(event.context)
        // Middleware before this plugin may have changed what h3 has made this response of.
        if (exchange?.head.noStore) keepInHead(fieldsOf(response.headers), exchange.head)
        exchange?.handOver()
      }
    }
  }
  return Object.assign(plugin, {
    of: (event: { readonly context: H3EventContext }) => kept.of(event.context),
  })
}

/** Whether this is an application or an event of h3 1, which `app.use` would pass to the plugin. */
function isOfH31(given: object): boolean {
  return '__is_event__' in given || ('stack' in given && 'options' in given)
}

function openExchange<Data extends object>(
  sessions: SessionOpener<Data>,
  event: H3Event,
): FetchExchange<Data> {
  return openFetchExchange(sessions, event.req, () => {
    if (!headersToRestore.has(event)) headersToRestore.set(event, rememberHeaders(event.res))
  })
}

/** What the handler gives, once everything is saved; h3 then makes a response of it. */
async function savedValue<Data extends object>(
  kept: Kept<Data>,
  event: H3Event,
  next: () => unknown,
): Promise<unknown> {
  let value: unknown
  try {
    value = await next()
  } catch (error) {
    await saved(kept, event)
    throw error
  }
  try {
    await saved(kept, event)
  } catch (error) {
    dropValue(value)
    throw error
  }
  const exchange = kept.opened(event.context)
  // What is not found has an error page still to come.
  return exchange && !isNotFound(value) ? addToValue(value, event.res, exchange.head) : value
}

async function saved<Data extends object>(kept: Kept<Data>, event: H3Event): Promise<void> {
  const exchange = kept.opened(event.context)
  try {
    await exchange?.commit()
  } catch (error) {
    exchange?.discard()
    headersToRestore.get(event)?.()
    throw error
  }
}

/** The error page, once what it changed is saved as well. */
async function savedErrorPage<Data extends object>(
  kept: Kept<Data>,
  event: H3Event,
  errorPage: () => Promise<unknown>,
): Promise<unknown> {
  let page: unknown
  try {
    page = await errorPage()
    await saved(kept, event)
  } catch (error) {
    // No second page for its failure, which might go round in circles: h3 answers for itself.
    dropValue(page)
    page = error
  }
  const exchange = kept.opened(event.context)
  return exchange ? addToErrorPage(page, event.res, exchange.head) : page
}
