import type { ApplicationParts } from 'pg-sessions/testing'

declare global {
  /** What the built application is made of, since nothing else reaches it from outside. */
  var contractParts: ApplicationParts
}
