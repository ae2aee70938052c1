import type { PgClientLike } from './client.ts'

const encodings = new WeakMap<PgClientLike, string>()

/**
 * Follows the encoding in which a client and its server exchange text. A client of `pg` writes and reads UTF-8,
 * whatever an application tells the server.
 */
export function followEncoding(client: PgClientLike): void {
  const { connection } = client as { connection?: { on?: unknown } }
  if (encodings.has(client) || typeof connection?.on !== 'function') return
  encodings.set(client, UTF8)
  // The server reports each change.
  connection.on('parameterStatus', ({ parameterName, parameterValue }: ParameterStatus) => {
    if (parameterName === 'client_encoding') encodings.set(client, parameterValue)
  })
}

interface ParameterStatus {
  readonly parameterName: string
  readonly parameterValue: string
}

const UTF8 = 'UTF8'

/** Whether the server takes what the client writes for other characters. */
export function isGarbling(client: PgClientLike): boolean {
  return (encodings.get(client) ?? UTF8) !== UTF8
}

/** Statements on this connection would be read as other characters than they are. */
export class EncodingChangedError extends Error {
  readonly code: string = 'ENOTCONN'

  constructor() {
    super(
      'The application has changed client_encoding on the connection given to fromPgClient, and pg writes UTF-8: end that with `reset client_encoding`',
    )
  }

  override get name(): string {
    return 'EncodingChangedError'
  }
}
