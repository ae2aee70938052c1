import { type AddressInfo, createServer, type Socket } from 'node:net'

/** A server that ends each connection during its startup, as poolers do. */
export interface RefusingServer extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** How many connections it has refused. */
  readonly refused: number
}

/** An error with which a server ends a connection before it is ready. */
export interface Refusal {
  readonly code: string
  readonly message: string
}

/**
 * Starts one.
 *
 * @param refusal - The SQLSTATE and message of its answer, or null to close the socket without a word.
 */
export async function startRefusingServer(refusal: Refusal | null): Promise<RefusingServer> {
  const sockets = new Set<Socket>()
  let refused = 0
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.once('data', () => {
      refused += 1
      if (refusal === null) socket.destroy()
      else socket.end(errorResponse(refusal))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `postgres://ann:s3cret@127.0.0.1:${port}/shop`,
    port,
    get refused() {
      return refused
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function errorResponse({ code, message }: Refusal): Buffer {
  const fields = ['SFATAL', 'VFATAL', `C${code}`, `M${message}`, ''].map((field) => `${field}\0`)
  const body = Buffer.from(fields.join(''))
  const head = Buffer.alloc(5)
  head.write('E')
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}
