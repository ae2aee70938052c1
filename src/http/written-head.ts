/** The head as the handler wrote it: judged and applied when written, put back when dropped. */
import { type OutgoingHttpHeader, ServerResponse } from 'node:http'

/** The first line of a head, as arguments of `writeHead`. Without a message the usual one is meant. */
export type StatusLine = readonly [statusCode: number, statusMessage?: string]

/**
 * Does what `writeHead(...args)` does short of finishing the head, so that more can join it.
 *
 * @throws {Error} Whatever Node's own `writeHead` throws for these arguments.
 * @see https://nodejs.org/api/http.html#responsewriteheadstatuscode-statusmessage-headers
 */
export function applyWriteHead(response: ServerResponse, args: readonly unknown[]): StatusLine {
  const [statusCode, reason, headers] = args
  const code = Number(statusCode) | 0
  const message = typeof reason === 'string' ? reason : messageOf(response)
  const fields = typeof reason === 'string' ? headers : (headers ?? reason)

  if (code < 100 || code > 999 || message !== undefined || fields) {
    // Node judges them itself, on a response that goes nowhere: the same errors, at the same moment.
    const judge = new ServerResponse(response.req)
    Reflect.apply(judge.writeHead, judge, [statusCode, message ?? fields, fields])
  }
  response.statusCode = code
  if (typeof reason === 'string') response.statusMessage = reason
  if (Array.isArray(fields)) setListed(response, fields)
  else if (fields)
    for (const [name, value] of Object.entries(fields)) response.setHeader(name, value)
  return message === undefined ? [code] : [code, message]
}

/** Remembers status and headers; the function it returns puts them back. */
export function rememberHead(response: ServerResponse): () => void {
  const { statusCode, sendDate } = response
  const statusMessage = messageOf(response)
  const headers = Object.entries(response.getHeaders()).map(
    ([name, value]) => [name, Array.isArray(value) ? [...value] : value] as const,
  )

  return () => {
    const kept = new Set(headers.map(([name]) => name))
    for (const name of response.getHeaderNames()) if (!kept.has(name)) response.removeHeader(name)
    for (const [name, value] of headers) {
      if (value !== undefined && response.getHeader(name) !== value) response.setHeader(name, value)
    }
    response.statusCode = statusCode
    if (messageOf(response) !== statusMessage) response.statusMessage = statusMessage ?? ''
    response.addTrailers({})
    // Removing a Date that the handler had set would leave the response without one.
    response.sendDate = sendDate
  }
}

/** HTTP/2 has no status message, and warns when asked for one. @see RFC 9113 §8.3.2 */
function messageOf(response: ServerResponse): string | undefined {
  return response.req.httpVersionMajor >= 2 ? undefined : response.statusMessage || undefined
}

/** A list may name a header several times; each becomes a line, and none survives from before. */
function setListed(response: ServerResponse, list: readonly unknown[]): void {
  const fields = new Map<string, { name: string; values: string[] }>()
  for (const [name, value] of Array.isArray(list[0]) ? (list as Pair[]) : pairsOf(list)) {
    const field = fields.get(name.toLowerCase()) ?? { name, values: [] }
    field.values.push(...[value].flat().map(String))
    fields.set(name.toLowerCase(), field)
  }
  for (const { name, values } of fields.values()) {
    response.setHeader(name, values.length === 1 ? String(values[0]) : values)
  }
}

type Pair = readonly [name: string, value: OutgoingHttpHeader]

function* pairsOf(list: readonly unknown[]): Generator<Pair> {
  for (let i = 0; i < list.length; i += 2)
    yield [String(list[i]), list[i + 1] as OutgoingHttpHeader]
}
