import { type AddressInfo, createServer, type Socket } from 'node:net'
import { Client } from 'pg'

/** A pooler as PgBouncer is in transaction mode: a connection is lent for one transaction at a time. */
export interface TransactionPooler extends AsyncDisposable {
  /** The database's connection string by way of the pooler. */
  readonly url: string
}

/** One connection to the server, which clients take turns on. */
interface Backend {
  readonly socket: Socket
  /** The client that has it now; while there is none, what the server sends is dropped. */
  borrower: Socket | null
}

/**
 * Starts a pooler before a database. It takes any password, knows no prepared statements, and passes a
 * notification on to the client that has the connection at that moment, or drops it.
 */
export async function startTransactionPooler(
  databaseUrl: string,
  size: number,
): Promise<TransactionPooler> {
  const logins = await Promise.all(Array.from({ length: size }, () => logIn(databaseUrl)))
  const idle: Backend[] = []
  const waiting: ((backend: Backend) => void)[] = []
  const release = (backend: Backend): void => {
    backend.borrower = null
    const next = waiting.shift()
    if (next === undefined) idle.push(backend)
    else next(backend)
  }
  for (const { socket } of logins) {
    const backend: Backend = { socket, borrower: null }
    const take = framing()
    socket.on('data', (piece) => {
      for (const frame of take(piece)) {
        backend.borrower?.write(frame)
        if (frame.equals(READY)) release(backend)
      }
    })
    idle.push(backend)
  }
  const borrow = (): Promise<Backend> => {
    const backend = idle.pop()
    return backend ? Promise.resolve(backend) : new Promise((resolve) => waiting.push(resolve))
  }

  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    serve(socket, borrow)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = new URL(databaseUrl)
  url.hostname = '127.0.0.1'
  url.port = String((server.address() as AddressInfo).port)
  return {
    url: url.href,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
      for (const { socket } of logins) socket.destroy()
    },
  }
}

/** Lets a client of `pg` do the greeting, and takes its socket. */
async function logIn(databaseUrl: string): Promise<{ readonly socket: Socket }> {
  const client = new Client({ connectionString: databaseUrl, application_name: 'pooler' })
  client.on('error', () => {})
  await client.connect()
  const { stream } = (client as unknown as { readonly connection: { readonly stream: Socket } })
    .connection
  stream.removeAllListeners('data')
  return { socket: stream }
}

function serve(client: Socket, borrow: () => Promise<Backend>): void {
  let isGreeted = false
  let backend: Backend | null = null
  let turn: Promise<void> = Promise.resolve()
  const take = framing()
  const forward = async (frame: Buffer): Promise<void> => {
    if (backend?.borrower !== client) {
      backend = await borrow()
      backend.borrower = client
    }
    backend.socket.write(frame)
  }
  client.on('data', (piece) => {
    if (!isGreeted) {
      isGreeted = true
      client.write(GREETING)
      return
    }
    for (const frame of take(piece)) {
      if (frame[0] === TERMINATE) return client.end()
      turn = turn.then(() => forward(frame))
    }
  })
}

/** Finds the messages in one direction of a connection: a type, and a length that counts itself. */
function framing(): (piece: Buffer) => Buffer[] {
  let rest: Buffer = Buffer.alloc(0)
  return (piece) => {
    rest = Buffer.concat([rest, piece])
    const frames: Buffer[] = []
    while (rest.length >= 5 && rest.length > rest.readInt32BE(1)) {
      const end = rest.readInt32BE(1) + 1
      frames.push(rest.subarray(0, end))
      rest = rest.subarray(end)
    }
    return frames
  }
}

const TERMINATE = 'X'.charCodeAt(0)
/** ReadyForQuery, outside a transaction. */
const READY = Buffer.from('Z\0\0\0\x05I', 'latin1')
const AUTHENTICATED = Buffer.from('R\0\0\0\x08\0\0\0\0', 'latin1')
const ENCODING = Buffer.from('S\0\0\0\x19client_encoding\0UTF8\0', 'latin1')
const GREETING = Buffer.concat([AUTHENTICATED, ENCODING, READY])
