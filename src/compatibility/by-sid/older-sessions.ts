/**
 * Sessions that another store still holds: those from before the switch.
 *
 * Asked only when a session is not here, so it costs nothing once every user has returned.
 */
export interface OlderSessions {
  /**
   * Moves a session here, under its sid, and tells whether there is one now: it is loaded again then.
   * Of several calls for one sid all may say yes. Once moved it is not to be found there any more, so
   * that it cannot come back after it has ended here.
   */
  adopt(sid: string): Promise<boolean>
  /** Ends a session there, for one that ends before it was ever moved. Harmless to repeat. */
  forget(sid: string): Promise<void>
}
