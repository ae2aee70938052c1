/** What the Fastify adapter asks of a reply, and does to it. */
import type { FastifyReply } from 'fastify'
import { dropBody } from '../../http/fetch-exchange.ts'

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
