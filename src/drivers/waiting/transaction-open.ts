/** The application has a transaction open on the only connection, and its rollback would undo what was acknowledged. */
export class TransactionOpenError extends Error {
  readonly code: string

  /**
   * @param on - Names the connection: `the client given to fromPgClient`.
   * @param advice - What to do instead of ending the transaction.
   * @param code - Node's own for a statement that was not sent, or for one that ran in the transaction.
   */
  constructor(on: string, advice: string, code: 'ENOTCONN' | 'ECONNABORTED' = 'ENOTCONN') {
    super(`The application has a transaction open on ${on}: end it first, or ${advice}`)
    this.code = code
  }

  override get name(): string {
    return 'TransactionOpenError'
  }
}
