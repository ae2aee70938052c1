import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** How long answers under way may take once the server is to stop, in milliseconds. */
const PATIENCE = 1000

/** How many ports after the wanted one are tried when it is taken. */
const ATTEMPTS = 50

export interface WebServer {
  readonly url: string
  /** Takes no new requests, and lets answers under way finish for a second. */
  stop(): Promise<void>
}

/** Serves on 127.0.0.1, so that no other machine on the network can reach it. */
export async function listen(handler: RequestListener, wantedPort: number): Promise<WebServer> {
  const server = createServer(handler)
  for (let port = wantedPort; ; port += 1) {
    try {
      await listenOn(server, port)
      break
    } catch (error) {
      const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
      if (!isTaken || port >= wantedPort + ATTEMPTS) throw error
    }
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      const closed = once(server, 'close')
      server.close()
      // Browsers also hold connections that have carried no request yet; those never count as idle.
      const impatience = setTimeout(() => server.closeAllConnections(), PATIENCE)
      await closed
      clearTimeout(impatience)
    },
  }
}

async function listenOn(server: Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
}
