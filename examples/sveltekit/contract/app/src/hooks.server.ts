import { type RequestEvent, redirect } from '@sveltejs/kit'
import { sequence } from '@sveltejs/kit/hooks'
import type { Session } from 'pg-sessions'
import {
  refuseCrossSite,
  requireFresh,
  type SvelteKitSessions,
  sveltekitSessions,
} from 'pg-sessions/sveltekit'
import { type ApplicationParts, type ErrorPage, ownHeaders } from 'pg-sessions/testing'
import '../../parts.ts'
import { type Handle, type HandleServerError, isUnexpected } from './of-this-version.ts'

declare global {
  namespace App {
    interface Locals {
      own: SvelteKitSessions
      other: SvelteKitSessions
      inner?: SvelteKitSessions
      page?: ErrorPage
    }
  }
}

const handles = new WeakMap<ApplicationParts, Handle>()

/** A hook of the application that sends visitors elsewhere, and tells them why. */
const guard: Handle = async ({ event, resolve }) => {
  const isLate = event.url.pathname === '/guarded-late'
  const response = isLate ? await resolve(event) : null
  if (event.url.pathname.startsWith('/guarded')) {
    globalThis.contractParts.script.change(event.locals.session, event.request.url)
    redirect(303, '/use')
  }
  return response ?? resolve(event)
}

/** A hook before ours that lets caches keep a page. */
const cached: Handle = async ({ event, resolve }) => {
  const response = await resolve(event)
  if (event.url.pathname === '/cached') {
    response.headers.set('Cache-Control', ownHeaders['Cache-Control'])
  }
  return response
}

/** Each of the contract's tests has sessions of its own, for the one application that has been built. */
export const handle: Handle = (input) => {
  const parts = globalThis.contractParts
  const known = handles.get(parts) ?? handleOf(parts)
  handles.set(parts, known)
  return known(input)
}

/** Tells the error page of what was not expected. */
export const handleError: HandleServerError = (input) => {
  const { error, event } = input
  if (isUnexpected(input)) event.locals.page = pageOf(error, event, event.locals.session)
  return { message: '' }
}

function handleOf({ sessions, others, script }: ApplicationParts): Handle {
  const other = sveltekitSessions(others)
  const own = sveltekitSessions(sessions, {
    onError: (error, event, session) => responseOf(pageOf(error, event, session)),
  })
  const errorPage: Handle = async ({ event, resolve }) => {
    Object.assign(event.locals, { own, other })
    const response = await resolve(event)
    return event.locals.page === undefined ? response : responseOf(event.locals.page)
  }
  const inner = sveltekitSessions(sessions)
  const innermost: Handle = (input) => {
    const { event } = input
    if (event.url.pathname !== '/inner') return input.resolve(event)
    script.change(own.of(event), event.request.url)
    Object.assign(event.locals, { inner })
    return inner(input)
  }
  const guards: Readonly<Record<string, Handle>> = {
    '/same-site': refuseCrossSite({ allow: ['https://admin.example.com'] }) as Handle,
    '/fresh': requireFresh('5m', { redirectTo: '/login' }) as Handle,
  }
  const guarded: Handle = (input) => (guards[input.event.url.pathname] ?? pass)(input)
  return sequence(cached, other, own, own, innermost, errorPage, guarded, guard)
}

const pass: Handle = ({ event, resolve }) => resolve(event)

function pageOf(error: unknown, event: Pick<RequestEvent, 'request'>, session: Session): ErrorPage {
  return globalThis.contractParts.script.errorPage(session, event.request.url, error)
}

function responseOf({ status, text }: ErrorPage): Response {
  return new Response(text, { status })
}
