import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { RunningApplication } from 'pg-sessions/testing'

/** Serves a request listener on a port of its own. */
export async function serve(listener: RequestListener): Promise<RunningApplication> {
  const server = createServer(listener)
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

/** Serves a listener for one request, and gives its whole response. */
export async function askOnce(
  listener: RequestListener,
  path: string = '/',
  init: RequestInit = {},
): Promise<{ response: Response; text: string }> {
  const { origin, close } = await serve(listener)
  try {
    const response = await fetch(new URL(path, origin), { redirect: 'manual', ...init })
    return { response, text: await response.text() }
  } finally {
    await close()
  }
}
