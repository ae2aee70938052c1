import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ApplicationParts, RunningApplication } from 'pg-sessions/testing'
import './parts.ts'

type Handler = (
  request: IncomingMessage,
  response: ServerResponse,
  next: undefined,
  locals?: object,
) => void

/**
 * The contract's application as pages of Astro, built for Node, whose sessions are the test's.
 *
 * @param localsOf - What a server around it hands over as locals.
 */
export async function openApplication(
  parts: ApplicationParts,
  localsOf: () => object | undefined = () => undefined,
): Promise<RunningApplication> {
  globalThis.contractParts = parts
  const built = new URL('app/dist/server/entry.mjs', import.meta.url)
  const { handler }: { handler: Handler } = await import(built.href)
  const server = createServer((request, response) =>
    handler(request, response, undefined, localsOf()),
  )
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
