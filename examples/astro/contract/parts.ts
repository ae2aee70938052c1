import type { Driver } from 'pg-sessions/driver'
import type { ApplicationParts } from 'pg-sessions/testing'

declare global {
  /** What the built application is made of, since nothing else reaches it from outside. */
  var contractParts: ApplicationParts
  /** Where Astro's own sessions are kept. */
  var driverDatabase: Driver
  /** What its slow request waits for. */
  var slowRequest: () => Promise<void>
}
