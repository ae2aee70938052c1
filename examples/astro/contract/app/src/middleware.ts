import { sequence } from 'astro:middleware'
import type { APIContext, MiddlewareHandler } from 'astro'
import { createSessions, MemoryStore } from 'pg-sessions'
import { type AstroSessions, astroSessions, refuseCrossSite, requireFresh } from 'pg-sessions/astro'
import { type ApplicationParts, ownHeaders } from 'pg-sessions/testing'
import '../../parts.ts'

declare global {
  namespace App {
    interface Locals {
      own: AstroSessions
      other: AstroSessions
      inner: AstroSessions
    }
  }
}

const handlers = new WeakMap<ApplicationParts, MiddlewareHandler>()

/** Each of the contract's tests has sessions of its own, for the one application that has been built. */
export const onRequest: MiddlewareHandler = (context, next) => {
  const parts = globalThis.contractParts
  if (parts === undefined) return atBuild(context, next)
  const known = handlers.get(parts) ?? handlerOf(parts)
  handlers.set(parts, known)
  return known(context, next)
}

const atBuild = astroSessions(createSessions({ store: new MemoryStore(), log: false }))

function handlerOf({ sessions, others, script }: ApplicationParts): MiddlewareHandler {
  const other = astroSessions(others)
  const inner = astroSessions(sessions)
  const own = astroSessions(sessions, {
    onError(error, { request, url }: APIContext, session) {
      if (url.searchParams.has('toAstro')) throw error
      const { status, text } = script.errorPage(session, request.url, error)
      return new Response(text, { status })
    },
  })
  return sequence(
    other,
    before,
    own,
    own,
    (context, next) => {
      Object.assign(context.locals, { own, other, inner })
      return next()
    },
    (context, next) => {
      if (context.url.pathname !== '/inner') return next()
      script.change(context.locals.session, context.request.url)
      return inner(context, next)
    },
    (context, next) => (guards[context.url.pathname] ?? pass)(context, next),
    after,
  )
}

const guards: Readonly<Record<string, MiddlewareHandler>> = {
  '/same-site': refuseCrossSite({ allow: ['https://admin.example.com'] }),
  '/fresh': requireFresh('5m', { redirectTo: '/login' }),
}

const pass: MiddlewareHandler = (_context, next) => next()

/** Middleware before ours, which does with the response what others do. */
const before: MiddlewareHandler = async ({ url, routePattern }, next) => {
  const response = await next()
  if (url.pathname === '/cached') {
    response.headers.set('Cache-Control', ownHeaders['Cache-Control'])
  }
  if (url.searchParams.has('copied')) return new Response(response.body, response)
  const fails = url.searchParams.has('fails') && routePattern !== '/500'
  if (fails) throw globalThis.contractParts.script.error
  return response
}

/** Middleware after ours. */
const after: MiddlewareHandler = ({ url }, next) => {
  const target = url.searchParams.get('nextAt')
  return target === null ? next() : next(target)
}
