/** Who has sent a message. */
export type Side = 'client' | 'server'

/**
 * One whole message of PostgreSQL's protocol.
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export interface PostgresMessage {
  readonly from: Side
  /**
   * Its first byte: `Q` for a simple query, `C` for a completed command, `Z` for "ready"; empty for
   * the first messages of a connection, which have none.
   */
  readonly type: string
  readonly bytes: Buffer
  /** Which connection it belongs to: 1 for the first that was opened, and so on. */
  readonly connection: number
}

/** Asks for encryption (GSS or SSL); the server answers with one bare byte. */
const ENCRYPTION_REQUESTS = [80877103, 80877104]
const CANCEL_REQUEST = 80877102

/** Whether a client asks the server, on a connection of its own, to stop a statement. */
export function isCancelRequest({ from, type, bytes }: PostgresMessage): boolean {
  return (
    from === 'client' &&
    type === '' &&
    bytes.length === 16 &&
    bytes.readInt32BE(4) === CANCEL_REQUEST
  )
}

/** Finds the messages in the bytes of one connection that is not encrypted. */
export class PostgresMessages {
  readonly #rest: Record<Side, Buffer> = { client: Buffer.alloc(0), server: Buffer.alloc(0) }
  readonly #connection: number
  #started = false
  #bareByteDue = false

  constructor(connection: number) {
    this.#connection = connection
  }

  /** Takes the next piece of the stream and gives back the messages that it completes. */
  take(from: Side, piece: Buffer): PostgresMessage[] {
    this.#rest[from] = Buffer.concat([this.#rest[from], piece])
    const messages: PostgresMessage[] = []
    for (let message = this.#next(from); message !== undefined; message = this.#next(from)) {
      messages.push(message)
    }
    return messages
  }

  #next(from: Side): PostgresMessage | undefined {
    const rest = this.#rest[from]
    if (from === 'server' && this.#bareByteDue && rest.length > 0) {
      this.#bareByteDue = false
      return this.#cut(from, 1, '')
    }
    const typed = from === 'server' || this.#started
    const header = typed ? 5 : 4
    if (rest.length < header) return undefined
    const length = rest.readInt32BE(header - 4) + header - 4
    if (rest.length < length) return undefined
    if (typed) return this.#cut(from, length, rest.toString('latin1', 0, 1))
    this.#bareByteDue = length === 8 && ENCRYPTION_REQUESTS.includes(rest.readInt32BE(4))
    this.#started = !this.#bareByteDue
    return this.#cut(from, length, '')
  }

  #cut(from: Side, length: number, type: string): PostgresMessage {
    const bytes = this.#rest[from].subarray(0, length)
    this.#rest[from] = this.#rest[from].subarray(length)
    return { from, type, bytes, connection: this.#connection }
  }
}
