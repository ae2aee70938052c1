/** A server and a client that shows the bytes, so that held and unheld responses can be compared. */
import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { ResponseHeaders } from '../../src/http/response-headers.ts'

export const addition: ResponseHeaders = {
  setCookies: ['held=1; HttpOnly'],
  noStore: false,
  varyCookie: false,
}
export const nothing: ResponseHeaders = { setCookies: [], noStore: false, varyCookie: false }

export interface Served {
  readonly server: Server
  readonly port: number
  close(): Promise<void>
}

export async function serve(listener: RequestListener): Promise<Served> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    server,
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Sends bytes as they are and gives back all that comes until the server hangs up. */
async function exchange(port: number, request: string): Promise<Buffer> {
  const socket = open(port)
  socket.write(request)
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

export function open(port: number): Socket {
  return connect(port, '127.0.0.1')
}

export function get(path = '/', ...headers: readonly string[]): string {
  return request('GET', path, ...headers)
}

export function request(method: string, path: string, ...headers: readonly string[]): string {
  const lines = [`${method} ${path} HTTP/1.1`, 'Host: test', 'Connection: close', ...headers]
  return `${lines.join('\r\n')}\r\n\r\n`
}

/** Without what may differ: the date, and the line that the hold adds. */
export function comparable(bytes: Buffer): string {
  return bytes
    .toString('latin1')
    .replace(/^Date: .*\r\n/gm, '')
    .replace(/^Set-Cookie: held=1; HttpOnly\r\n/gm, '')
}

export async function ask(listener: RequestListener, text: string = get()): Promise<Buffer> {
  const served = await serve(listener)
  try {
    return await exchange(served.port, text)
  } finally {
    await served.close()
  }
}

export interface Deferred<T> {
  readonly promise: Promise<T>
  resolve(value: T): void
  reject(error: unknown): void
}

export function deferred<T>(): Deferred<T> {
  let settle: Omit<Deferred<T>, 'promise'> | undefined
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject }
  })
  return { promise, resolve: (v) => settle?.resolve(v), reject: (e) => settle?.reject(e) }
}
