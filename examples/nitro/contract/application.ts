import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { OpenApplication } from 'pg-sessions/testing'
import './parts.ts'

/** The contract's application as routes of Nitro, built for Node, whose sessions are the test's. */
export const openApplication: OpenApplication = async (parts) => {
  globalThis.contractParts = parts
  const built = new URL('app/.output/server/index.mjs', import.meta.url)
  const { middleware }: { middleware: (...args: Parameters<RequestListener>) => unknown } =
    await import(built.href)
  const server = createServer((request, response) => {
    // It rejects when a body fails; a server of Nitro's own catches that for the whole process.
    Promise.resolve(middleware(request, response)).catch(() => response.destroy())
  })
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
