import type { AddressInfo } from 'node:net'
import { connect, createServer, type Socket } from 'node:net'

/** A TCP proxy before a database that can go silent without closing anything, as networks do. */
export interface StallingProxy {
  /** The database's connection string, by way of the proxy. */
  readonly url: string
  /** Passes nothing on any more: what is connected hangs, and so does who connects. */
  stall(): void
  /** Does so with what is connected now; whoever connects later is served. */
  stallOpen(): void
  /** Passes on what was held back, and everything after it. */
  resume(): void
  /** Takes no new connection; those that are open stay. */
  refuse(): void
  close(): void
}

export async function startStallingProxy(databaseUrl: string): Promise<StallingProxy> {
  const target = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  const stalled = new Set<Socket>()
  let stallNew = false
  const join = (from: Socket, to: Socket): void => {
    from.on('data', (chunk) => to.write(chunk))
    from.on('end', () => to.end())
    from.on('close', () => to.destroy())
    // A socket starts to flow by itself once it is connected or has a listener.
    from.on('resume', () => {
      if (stalled.has(from)) from.pause()
    })
  }
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname)
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
      if (stallNew) stalled.add(socket.pause())
    }
    join(near, far)
    join(far, near)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const stallOpen = (): void => {
    for (const socket of sockets) stalled.add(socket.pause())
  }
  const url = new URL(databaseUrl)
  url.hostname = '127.0.0.1'
  url.port = String((server.address() as AddressInfo).port)
  return {
    url: url.href,
    stall: () => {
      stallNew = true
      stallOpen()
    },
    stallOpen,
    resume: () => {
      stallNew = false
      stalled.clear()
      for (const socket of sockets) socket.resume()
    },
    refuse: () => {
      server.close()
    },
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
