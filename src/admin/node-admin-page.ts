import type { IncomingMessage, ServerResponse } from 'node:http'
import { isNodeResponse, wrongMount } from '../http/wrong-mount.ts'
import { type AdminPageOptions, readAdminOptions } from './admin-options.ts'
import { administrationOf } from './admin-page.ts'
import { type AdministeredSessions, Administrator, methodRefused } from './administrator.ts'
import { authorized, plainAnswer } from './authorize.ts'
import { LONGEST_FORM } from './read-form.ts'

/**
 * Makes the admin page, as {@link adminPage} does, for Express, Fastify, Connect and plain Node.
 *
 * `authorize` is given the request of your framework, with what your middleware has put on it, such as
 * `request.session`.
 *
 * @returns A handler for every method of a path: `app.use('/admin', admin)` in Express.
 * @throws {ConfigurationError} `authorize` is missing, or an option is wrong.
 * @example
 * ```ts
 * import { nodeAdminPage } from 'pg-sessions/admin'
 * import type { Request } from 'express'
 *
 * const administrators = new Set(['ann'])
 *
 * app.use('/admin', nodeAdminPage(sessions, {
 *   authorize: async ({ session }: Request) => {
 *     await session.load()
 *     return administrators.has(session.userId ?? '') && session.userId
 *   },
 * }))
 * ```
 */
export function nodeAdminPage<Incoming extends IncomingMessage = IncomingMessage>(
  sessions: AdministeredSessions,
  options: AdminPageOptions<readonly [Incoming]>,
): (request: Incoming, response: ServerResponse) => Promise<void> {
  const { authorize, ...settings } = readAdminOptions('nodeAdminPage', options)
  const administration = administrationOf('nodeAdminPage', sessions)
  const administrator = new Administrator(sessions, administration, settings)
  return async (request, response) => {
    if (!isNodeResponse(response)) {
      throw wrongMount('nodeAdminPage', "app.use('/admin', nodeAdminPage(sessions, { authorize }))")
    }
    const decide = (): unknown => authorize(...([request] as unknown as readonly never[]))
    try {
      const authorization = await authorized(decide, administration.log)
      if ('refusal' in authorization) return await send(authorization.refusal, response)
      if (NOT_OF_FETCH.has(request.method ?? '')) return await send(methodRefused(), response)
      const asked = await fetchRequestOf(request)
      await send(await administrator.answer(asked, authorization.actor), response)
    } catch (error) {
      // Not passed on: only Express 5 heeds what a handler rejects with, and elsewhere it would end the process.
      if (!request.aborted) administration.log.error({ err: error }, 'the admin page failed')
      if (response.headersSent || response.destroyed) response.destroy()
      else await send(plainAnswer(500, 'The page failed; the log says why.'), response)
    }
  }
}

/** Methods that `Request` refuses. @see https://fetch.spec.whatwg.org/#forbidden-method */
const NOT_OF_FETCH: ReadonlySet<string> = new Set(['CONNECT', 'TRACE', 'TRACK'])

/** The address matters in its query alone: the page's links are relative to where it is. */
async function fetchRequestOf(request: IncomingMessage): Promise<Request> {
  const { originalUrl = request.url } = request as { readonly originalUrl?: string }
  const query = /\?.*$/s.exec(originalUrl ?? '')?.[0] ?? ''
  const host = request.headers.host ?? request.headers[':authority'] ?? 'localhost'
  const url = URL.canParse(`http://${host}/`)
    ? `http://${host}/${query}`
    : `http://localhost/${query}`
  const headers = new Headers()
  for (const [name, value] of Object.entries(request.headers)) {
    if (name.startsWith(':') || value === undefined) continue
    headers.set(name, Array.isArray(value) ? value.join(', ') : value)
  }
  const method = request.method ?? 'GET'
  if (method === 'GET' || method === 'HEAD') return new Request(url, { method, headers })
  return new Request(url, { method, headers, body: await bodyOf(request) })
}

/** The form as it came, or as middleware such as `express.urlencoded()` has read it before. */
async function bodyOf(request: IncomingMessage): Promise<string> {
  const { body } = request as { readonly body?: unknown }
  if (typeof body === 'string') return body
  if (request.readableDidRead) {
    const fields = Object.entries(Object(body)).filter(([, value]) => typeof value === 'string')
    return new URLSearchParams(fields as [string, string][]).toString()
  }
  const chunks: Uint8Array[] = []
  let size = 0
  // Without that option the connection would be cut, and with it the answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk)
    size += chunk.byteLength
    if (size > LONGEST_FORM) break
  }
  return Buffer.concat(chunks).toString()
}

async function send(answer: Response, response: ServerResponse): Promise<void> {
  response.statusCode = answer.status
  for (const [name, value] of answer.headers) {
    if (name !== 'set-cookie') response.setHeader(name, value)
  }
  const own = answer.headers.getSetCookie()
  if (own.length > 0) {
    const others = response.getHeader('set-cookie') ?? []
    response.setHeader('set-cookie', [...[others].flat().map(String), ...own])
  }
  const body = Buffer.from(await answer.arrayBuffer())
  response.setHeader('content-length', body.byteLength)
  response.end(response.req?.method === 'HEAD' ? undefined : body)
}
