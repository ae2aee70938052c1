/** The server or the network ended a connection between two statements. */
export class ConnectionLostError extends Error {
  readonly code: string = 'ECONNRESET'

  constructor() {
    super('The connection was lost between two statements')
  }

  override get name(): string {
    return 'ConnectionLostError'
  }
}
