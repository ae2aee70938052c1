/** How many live sessions a user may have, and what a sign-in beyond that does. */
export interface SessionCap {
  readonly count: number
  /** Ends the sessions that began longest ago, or refuses the sign-in. */
  readonly beyond: 'end-oldest' | 'refuse'
}
