import type { MutantGroup } from './mutant.ts'

const STORAGE = 'test/compatibility/better-auth.test.ts'

/** The secondary storage of better-auth. */
export const betterAuthMutants: readonly MutantGroup[] = [
  {
    file: 'src/compatibility/better-auth/auth-storage.ts',
    tests: [STORAGE],
    mutants: [
      {
        without: 'telling an update from a sign-in',
        from: 'if (session !== null && base !== undefined)',
        to: 'if (session === null && base !== undefined)',
      },
      {
        without: 'keeping fields that others have changed',
        from: 'current === null ? text : mergeSession(base, text, current)',
        to: 'text',
      },
      {
        without: 'trying again when another request was faster',
        from: "expected = result.status === 'changed' ? result.current : null",
        to: 'expected = null',
      },
      {
        without: 'reading the list from the sessions',
        from: 'if (listedUser(key) !== null && isSessionList(text)) return',
        to: '',
      },
      {
        without: 'leaving expired sessions out of the list',
        from: 'expiresAt > now ? findValue(entries) : null',
        to: 'findValue(entries)',
      },
      {
        without: 'taking a value for a session under its own token only',
        from: 'session?.token === key && isUserId(session.userId)',
        to: 'isUserId(session?.userId)',
      },
    ],
  },
  {
    file: 'src/compatibility/better-auth/value-seal.ts',
    tests: [STORAGE],
    mutants: [
      {
        without: 'binding a value to its row',
        from: 'return Buffer.from(id)',
        to: "return Buffer.from('')",
      },
    ],
  },
  {
    file: 'src/compatibility/better-auth/operations/count-up.ts',
    tests: [STORAGE],
    mutants: [
      {
        without: 'beginning again when the time is over',
        from: "const OVER = 's.expires_at <= now()'",
        to: "const OVER = 'false'",
      },
    ],
  },
  {
    file: 'src/compatibility/better-auth/operations/take-value.ts',
    tests: [STORAGE],
    mutants: [
      {
        without: 'the time of a value',
        from: ' and s.expires_at > now()',
        to: '',
      },
    ],
  },
]
