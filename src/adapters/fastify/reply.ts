/** What the Fastify adapter asks of a reply, and does to it. */
import type { FastifyReply } from 'fastify'
import { dropBody } from '../../http/fetch-exchange.ts'
import type { HeadFields } from '../../http/head-addition.ts'

export type ReplyHeaders = Partial<ReturnType<FastifyReply['getHeaders']>>

/** The reply's headers as they are now: Fastify adds further cookies to the array that it gives. */
export function headersOf(reply: FastifyReply): ReplyHeaders {
  const cookies = reply.getHeader('set-cookie')
  return { ...reply.getHeaders(), ...(Array.isArray(cookies) && { 'set-cookie': [...cookies] }) }
}

/** Leaves the error handler nothing of what it replaces. */
export function dropReply(reply: FastifyReply, headers: ReplyHeaders, payload: unknown): void {
  for (const name of Object.keys(reply.getHeaders())) reply.removeHeader(name)
  reply.headers(headers)
  if (payload instanceof Response) dropBody(payload)
  else if (payload instanceof ReadableStream) payload.cancel().catch(() => undefined)
  else if (isStream(payload)) payload.destroy()
}

function isStream(payload: unknown): payload is { destroy(): void } {
  return typeof Reflect.get(Object(payload), 'destroy') === 'function'
}

/** A reply's own headers overrule those of the response beneath it. */
export function fieldsOf(reply: FastifyReply): HeadFields {
  return {
    getHeader: (name) => reply.getHeader(name),
    setHeader: (name, value) => reply.header(name, value),
    getHeaderNames: () => Object.keys(reply.getHeaders()),
    removeHeader: (name) => reply.removeHeader(name),
  }
}
