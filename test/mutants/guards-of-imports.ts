import type { MutantGroup } from './mutant.ts'

/** Sessions that move here from Redis. */
export const importMutants: readonly MutantGroup[] = [
  {
    file: 'src/import/redis/import-redis.ts',
    tests: ['test/import/redis/import-redis.test.ts'],
    mutants: [
      {
        without: 'taking the prefix to the letter',
        from: String.raw`/[*?[\]\\]/g`,
        to: '/[]/g',
      },
      {
        without: 'counting as moved what a lost answer has moved',
        from: "outcome === 'known' && isInDoubt ? 'moved' : outcome",
        to: 'outcome',
      },
      {
        without: 'leaving in Redis what was not moved',
        from: "left.filter((_, index) => settled[index] === 'moved')",
        to: 'left',
      },
      {
        without: 'leaving in Redis what a rehearsal has looked at',
        from: 'if (sessions.length === 0 || dryRun) return',
        to: 'if (sessions.length === 0) return',
      },
      {
        without: 'the largest session',
        from: 'text !== null && text.length <= LARGEST ? text : null',
        to: 'text',
      },
      {
        without: 'the lifetime of sessions that Redis keeps for ever',
        from: 'left === NO_EXPIRY ? idleTimeout : left',
        to: 'left',
      },
      {
        without: 'leaving a session whose time is over',
        from: 'text !== null && lifetime > 0',
        to: 'text !== null',
      },
      {
        without: 'remembering for long what has moved',
        from: 'Math.max(session.rememberFor, REMEMBERED)',
        to: 'session.rememberFor',
      },
    ],
  },
]
