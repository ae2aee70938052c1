import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** How many ports after the wanted one are tried when it is taken. */
const ATTEMPTS = 50

export interface WebServer {
  readonly url: string
  /** Lets answers under way finish, and takes no new requests. */
  stop(): Promise<void>
}

/** Serves on 127.0.0.1, so that nobody else on the network can reach it. */
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
      server.closeIdleConnections()
      await closed
    },
  }
}

async function listenOn(server: Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
}
