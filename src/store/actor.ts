/** An administrator who acts as the session's user, and their own session, without which this one is dead. */
export interface Actor {
  readonly userId: string
  readonly sessionId: string
}
