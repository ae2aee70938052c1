import type { AddressInfo } from 'node:net'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** A TCP proxy before a database that can go silent without closing anything, as networks do. */
export interface StallingProxy {
  /** The database's connection string, by way of the proxy. */
  readonly url: string
  /** Passes nothing on any more: what is connected hangs, and so does who connects. */
  stall(): void
  /** Passes on what was held back, and everything after it. */
  resume(): void
  /** Takes no new connection; those that are open stay. */
  refuse(): Promise<void>
  close(): Promise<void>
}

export async function startStallingProxy(databaseUrl: string): Promise<StallingProxy> {
  const target = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  let stalled = false
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname)
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
      if (stalled) socket.pause()
    }
    join(near, far, () => stalled)
    join(far, near, () => stalled)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const url = new URL(databaseUrl)
  url.hostname = '127.0.0.1'
  url.port = String((server.address() as AddressInfo).port)
  return {
    url: url.href,
    stall: () => {
      stalled = true
      for (const socket of sockets) socket.pause()
    },
    resume: () => {
      stalled = false
      for (const socket of sockets) socket.resume()
    },
    refuse: () => stopListening(server),
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await stopListening(server)
    },
  }
}

function join(from: Socket, to: Socket, isStalled: () => boolean): void {
  from.on('data', (chunk) => to.write(chunk))
  from.on('end', () => to.end())
  from.on('close', () => to.destroy())
  from.on('resume', () => {
    if (isStalled()) from.pause()
  })
}

/** Resolves once the port is given up; connections that are open do not hold it. */
function stopListening(server: Server): Promise<void> {
  server.close()
  return Promise.resolve()
}
