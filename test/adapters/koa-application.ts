import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import Koa, { type Context, type Middleware } from 'koa'
import type { Session } from 'pg-sessions'
import { koaSessions, refuseCrossSite, requireFresh } from 'pg-sessions/koa'
import { type OpenApplication, ownHeaders, type Script } from 'pg-sessions/testing'
import { serve } from './listen.ts'

/** The contract's application in Koa, whose error page stands before the sessions. */
export const openKoaApplication: OpenApplication = applicationIn(Koa)

/** The contract's application in a version of Koa. */
export function applicationIn(framework: typeof Koa): OpenApplication {
  return (parts) => openApplication(new framework(), parts)
}

function openApplication(
  app: Koa,
  { sessions, others, script }: Parameters<OpenApplication>[0],
): ReturnType<OpenApplication> {
  app.silent = true
  const own = koaSessions(sessions)
  const other = koaSessions(others)
  app.use(async (ctx, next) => {
    try {
      await next()
    } catch (error) {
      const { status, text } = script.errorPage(ctx.session, ctx.url, error)
      ctx.status = status
      ctx.body = text
    }
  })
  app.use(async (ctx, next) => {
    await next()
    if (ctx.path === '/cached') ctx.set('Cache-Control', ownHeaders['Cache-Control'])
  })
  app.use(other).use(own).use(own)
  const routes = { ...koaRoutes(script), ...companyRoutes(script, own.of, other.of) }
  const inner = koaSessions(sessions)
  app.use(async (ctx, next) => {
    if (ctx.path !== '/inner') return next()
    script.change(ctx.session, ctx.url)
    await inner(ctx, async () => {
      ctx.body = await script.use(inner.of(ctx), ctx.url)
    })
  })
  const guards: Record<string, Middleware> = {
    '/same-site': refuseCrossSite({ allow: ['https://admin.example.com'] }),
    '/fresh': requireFresh('5m', { redirectTo: '/login' }),
  }
  app.use((ctx, next) => (guards[ctx.path] ?? pass)(ctx, next))
  app.use(async (ctx, next) => {
    await routes[ctx.path]?.(ctx)
    await next()
  })
  return serve(app.callback())
}

const pass: Middleware = (_ctx, next) => next()

type Route = (ctx: Context) => void | Promise<void>
type SessionOf = (context: Context) => Session

function companyRoutes(script: Script, own: SessionOf, other: SessionOf): Record<string, Route> {
  return {
    '/same': (ctx) => {
      const { session } = ctx
      ctx.body = String(ctx.session === session && own(ctx) === session)
    },
    '/other': async (ctx) => {
      ctx.body = await script.use(other(ctx), ctx.url)
    },
    '/both': async (ctx) => {
      ctx.body = `${await script.use(ctx.session, ctx.url)}\n${await script.use(other(ctx), ctx.url)}`
    },
  }
}

function koaRoutes(script: Script): Record<string, Route> {
  const changing =
    (answer: Route): Route =>
    (ctx) => {
      script.change(ctx.session, ctx.url)
      return answer(ctx)
    }
  return {
    '/untouched': (ctx) => {
      ctx.body = 'untouched'
    },
    '/use': async (ctx) => {
      ctx.body = await script.use(ctx.session, ctx.url)
    },
    '/change': changing((ctx) => {
      ctx.body = 'changed'
    }),
    '/json': changing((ctx) => {
      ctx.body = { changed: true }
    }),
    '/redirect': changing((ctx) => ctx.redirect('/use')),
    '/empty': changing((ctx) => {
      ctx.status = 204
    }),
    '/tagged': changing((ctx) => {
      ctx.status = 200
      ctx.etag = 'v1'
      if (ctx.fresh) ctx.status = 304
      else ctx.body = 'tagged'
    }),
    '/headed': changing((ctx) => {
      ctx.set({ ...ownHeaders })
      ctx.body = 'headed'
    }),
    '/stream': changing((ctx) => {
      ctx.body = Readable.from(script.body())
    }),
    '/events': changing((ctx) => {
      ctx.type = 'text/event-stream'
      ctx.body = Readable.from(lines(script.events(ctx.session, ctx.url)))
    }),
    '/throw': changing(() => {
      throw script.error
    }),
    '/throw-later': async (ctx) => {
      await script.use(ctx.session, ctx.url)
      throw script.error
    },
    '/passed-on': changing(() => undefined),
    '/cached': changing((ctx) => {
      ctx.body = 'cached'
    }),
    '/broken-stream': changing((ctx) => {
      ctx.body = createReadStream('/there/is/no/such/file')
    }),
    '/same-site': (ctx) => {
      ctx.body = 'same-site'
    },
    '/fresh': (ctx) => {
      ctx.body = 'fresh'
    },
    '/assigned': (ctx) => {
      Object.assign(ctx, { session: null })
      ctx.body = 'assigned'
    },
    '/raw': changing((ctx) => {
      ctx.respond = false
      ctx.res.writeHead(200, { 'Content-Type': 'text/plain' })
      ctx.res.end('raw')
    }),
  }
}

async function* lines(events: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const event of events) yield `data: ${event}\n\n`
}
