import type { MutantGroup } from './mutant.ts'
import { CONTRACT, IN_COMPANY } from './test-files.ts'

const operations = 'src/postgres/operations'

/** Loads and lists. */
export const readMutants: readonly MutantGroup[] = [
  {
    file: `${operations}/packed-entries.ts`,
    tests: ['test/postgres/load-bounds.test.ts'],
    mutants: [
      {
        without: 'the bound of what a shared load answers for one session',
        from: '> ${most} then int4send(-1)',
        to: '< 0 then int4send(-1)',
      },
      {
        without: 'the bound of what a shared load answers for all its sessions',
        from: 'Math.ceil(MOST_BYTES_TOGETHER / sessions)',
        to: 'MOST_SHARED_BYTES',
      },
    ],
  },
  {
    file: `${operations}/load.ts`,
    tests: [CONTRACT],
    mutants: [
      {
        without: 'the token of a session to load',
        from: " and (${isCurrent} or ${isOne('s.previous_hash', hashes)})`",
        to: '`',
      },
      {
        without: 'the token of a session to load, in a shared load',
        from: ' and (s.secret_hash = a.hash or s.previous_hash = a.hash)',
        to: '',
        tests: [IN_COMPANY],
      },
      {
        without: 'values of its own for each request that shares a load',
        from: 'return result && ownCopy(result)',
        to: 'return result',
        tests: ['test/postgres/load-bounds.test.ts'],
      },
      {
        without: 'entries that a dead token does not read',
        from: 'where session_id = ${id} and (${isCurrent} or s.previous_until > now())`',
        to: 'where session_id = ${id}`',
        tests: ['test/postgres/load-bounds.test.ts'],
      },
      {
        without: 'entries that a dead token does not read, in a shared load',
        from: ' and (s.secret_hash = a.hash or s.previous_until > now())',
        to: '',
        tests: ['test/postgres/load-bounds.test.ts'],
      },
      {
        without: 'expiry of a session to load',
        from: 'if (expiresAt <= now) return',
        to: 'if (expiresAt <= Number.NEGATIVE_INFINITY) return',
      },
      {
        without: 'saying nothing of a dead session to a dead token',
        from: "isOpen ? { status: 'expired', id, userId } : UNKNOWN",
        to: "{ status: 'expired', id, userId }",
      },
      {
        without: 'the reuse of a renewed token',
        from: "  if (!isOpen) return { status: 'reused', id, userId }\n",
        to: '',
      },
      {
        without: 'the end of the grace as the process sees it',
        from: 'previous !== null && previous.until > now',
        to: 'previous !== null',
      },
      {
        without: 'the bound of large values',
        from: '      large: largeEntries,\n    }),',
        to: '      large: UNLIMITED,\n    }),',
      },
    ],
  },
  {
    file: `${operations}/fetch.ts`,
    tests: [CONTRACT],
    mutants: [
      {
        without: 'the token of a session to fetch from',
        from: ' and ${opensTo(hashes)}',
        to: '',
      },
      {
        without: 'the guard of a session to fetch from',
        from: '${liveAndOwned({ id, user, version })}',
        to: 's.id = ${id}',
      },
    ],
  },
  {
    file: `${operations}/find-sessions.ts`,
    tests: [CONTRACT],
    mutants: [
      {
        without: 'expiry of the sessions in a list',
        from: 'where ${isMeant(of)} and s.expires_at > now()',
        to: 'where ${isMeant(of)}',
      },
      {
        without: 'expiry of the sessions that are watched',
        from: 'where s.id ${isMeant} and s.expires_at > now()',
        to: 'where s.id ${isMeant}',
      },
    ],
  },
]
