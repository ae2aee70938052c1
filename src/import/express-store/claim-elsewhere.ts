import type { ImportSource } from '../import-source.ts'

export const DAY = 86_400_000

/**
 * How long a mark of a session from another store stays at least, in milliseconds: that store may keep sessions
 * longer than their cookies say.
 */
export const REMEMBERED: number = 90 * DAY

/** Nothing is taken out of a table: `version` is the milliseconds that the session has left. */
export const CLAIM_ELSEWHERE: ReturnType<ImportSource['claim']> = {
  held: `
        select position, version::float8 * interval '1 ms' as lifetime
        from free`,
  claimed: `
        select position, now() + lifetime as expires_at
        from held`,
}
