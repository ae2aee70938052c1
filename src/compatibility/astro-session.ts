import { readFromAstro, writeForAstro } from './astro-session/astro-entries.ts'
import { isMarkOf, RecentReads } from './astro-session/recent-reads.ts'
import { HeldSession } from './by-sid/held-session.ts'
import type { SessionContent } from './by-sid/session-content.ts'
import { resolveSidSettings, type SidStoreOptions } from './by-sid/settings.ts'
import { SidSessions } from './by-sid/sid-sessions.ts'
import { userOf } from './by-sid/user-of.ts'

export type { SidCommonOptions, SidStoreOptions } from './by-sid/settings.ts'

/** A driver for Astro's sessions, as its configuration wants the entrypoint to give it. */
export interface AstroSessionDriver {
  /** Gives a live session, as Astro has stored it; null when there is none. */
  readonly getItem: (id: string) => Promise<string | null>
  /** Saves what a request has changed in a session; stores one that never was. */
  readonly setItem: (id: string, value: string) => Promise<void>
  /** Ends a session. It is not an error when there is none. */
  readonly removeItem: (id: string) => Promise<void>
  /** Stops deleting expired sessions and takes no further calls. A pool stays open. */
  readonly dispose: () => Promise<void>
}

/**
 * Makes a driver for Astro's own sessions, `Astro.session`.
 *
 * It keeps them on the same tables as everything else here, with the id of the cookie hashed, and saves the
 * keys that a request has set or deleted: parallel requests keep each other's, and a slow one brings no
 * ended session back. A save of a session that has ended meanwhile writes nothing and is not an error. A
 * database that cannot be asked is an error, and never an empty session.
 *
 * @example
 * ```ts
 * import { Pool } from 'pg'
 * import { astroSessionDriver } from 'pg-sessions/astro-session'
 *
 * const pool = new Pool({ connectionString: process.env.DATABASE_URL })
 * export const makeDriver = () => astroSessionDriver({ pool, idleTimeout: '1d' })
 * ```
 *
 * @throws {ConfigurationError} An option is unknown, wrong, or contradicts another; says what to write.
 */
export function astroSessionDriver(options: SidStoreOptions): AstroSessionDriver {
  const settings = resolveSidSettings('astroSessionDriver', options)
  const sessions = new SidSessions(settings)
  const reads = new RecentReads()

  // Astro copies the functions out of the driver, so they must not ask for `this`.
  return {
    async getItem(id) {
      const found = await sessions.load(id)
      if (found === null) return null
      const { held } = found
      // Astro stores nothing after a request that only reads. What fails is told by the log.
      sessions.touch(held, { ...UNCHANGED, texts: held.texts }).catch(() => undefined)
      return writeForAstro(held.texts, reads.keep(held))
    },

    async setItem(id, value) {
      const { texts, data, read } = readFromAstro(value)
      const content = { ...UNCHANGED, texts, userId: userOf(data, settings, null) }
      const fresh = new HeldSession(id)
      const sessionId = fresh.identity.id
      const wasRead = isMarkOf(sessionId, read)
      const held = wasRead ? reads.of(read) : null
      if (held !== null) return sessions.save(held, content)
      const keys = reads.lastKeys(sessionId)
      const isNew = keys === null && !wasRead && texts.size > 0
      if (isNew) return sessions.save(fresh, content)
      // It is changed where it lives, and never begun. Keys that the request cannot know of stay.
      const isHidden = (key: string): boolean => keys !== null && !keys.has(key)
      return sessions.touch(fresh, { ...content, isHidden })
    },

    removeItem: (id) => sessions.destroy(id),
    dispose: () => sessions.close(),
  }
}

/** A session that lives as long as the settings say. */
const UNCHANGED: Omit<SessionContent, 'texts'> = {
  terms: { expiresIn: null, ownIdleTimeout: undefined },
  isHidden: () => false,
  userId: undefined,
  mayBeStored: false,
}
