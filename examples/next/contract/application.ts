import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { OpenApplication } from 'pg-sessions/testing'
import './parts.ts'

interface NextServer {
  prepare(): Promise<void>
  getRequestHandler(): RequestListener
  close(): Promise<void>
}

const next: (options: object) => NextServer = createRequire(import.meta.url)('next')
let built: Promise<NextServer> | undefined

/** The contract's application as Route Handlers of Next, built, whose sessions are the test's. */
export const openApplication: OpenApplication = async (parts) => {
  globalThis.contractParts = parts
  built ??= prepared()
  const server = createServer((await built).getRequestHandler())
  // On a slow machine, a visitor may pause for longer than the 5 s after which Node closes a connection.
  server.keepAliveTimeout = 60_000
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

/** Stops what all applications share. */
export async function closeAll(): Promise<void> {
  await (await built)?.close()
}

async function prepared(): Promise<NextServer> {
  const server = next({ dev: false, dir: fileURLToPath(new URL('app', import.meta.url)) })
  await server.prepare()
  return server
}
